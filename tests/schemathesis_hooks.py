"""What Schemathesis must know of Paygrade that no schema can say; see schemathesis.toml."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import Phase, settings

# Schemathesis lets Hypothesis climb towards requests that are accepted. Where an id is needed that nobody
# guesses, none is: the climb takes half of the examples, and draws thousands of requests that are never
# sent.
settings.register_profile("without-climbs", phases=(Phase.explicit, Phase.generate, Phase.shrink))
settings.load_profile("without-climbs")

LARGEST = 3.4e38
"""What `format: float` allows, about; Schemathesis knows no such format."""
TEXT = re.compile(r"\s*(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|true|false)\s*", re.IGNORECASE)
"""A value that may be sent as a text, which the document does not say."""
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


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """A body that is only meant to be wrong, since it has values as texts or 0 for false, may be right."""
    booleans = booleans_of(case.operation.schema.raw_schema)
    return not any(
        (isinstance(value, str) and TEXT.fullmatch(value))
        or (name in booleans and type(value) in (int, float) and value in (0, 1))
        for row in rows_in(case.body)
        for name, value in row.items()
    )


def booleans_of(document: dict[str, Any]) -> set[str]:
    """The features of any model that are booleans."""
    schemas = document["components"]["schemas"]
    rows = [schema["properties"] for name, schema in schemas.items() if name.startswith("Row.")]
    return {name for row in rows for name, value in row.items() if "boolean" in value.get("type", ())}


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> schemathesis.Case[Any]:
    """A number that is meant to be right fits float32."""
    for row in rows_in(case.body):
        for name, value in row.items():
            if isinstance(value, int | float) and abs(value) > LARGEST:
                row[name] = LARGEST
    return case


def rows_in(body: Any) -> Iterator[dict[str, Any]]:
    """The rows of a prediction, or of the call of the article, which is a row itself."""
    given = body.get("inputs", body) if isinstance(body, dict) else None
    for row in given if isinstance(given, list) else [given]:
        if isinstance(row, dict):
            yield row
