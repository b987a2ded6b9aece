"""What Schemathesis must know of Paygrade that no schema can say; see schemathesis.toml."""

import hashlib
import json
import re
from typing import Any

import schemathesis

KEY = re.compile(r"[\x21-\x7e]{1,255}")


@schemathesis.serializer("application/x-ndjson")
def send_lines(context: Any, value: Any) -> bytes:
    """A file of lines that is made as text or bytes."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """A key is for one request: made of its body too, it comes again with the same body only.

    Webhooks are left out: whether one is accepted depends on the secrets and on the receiver's address.
    """
    for sent in (case.body, case.query):
        if isinstance(sent, dict):
            sent.pop("webhook", None)
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and KEY.fullmatch(key):
        body = hashlib.sha256(json.dumps(case.body, default=str).encode()).hexdigest()
        case.headers["Idempotency-Key"] = f"{key[:191]}{body}"
