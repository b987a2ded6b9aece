"""What a caller wants of the answer: JSON, and to wait for it (the header Prefer, RFC 7240, or ?wait=N)."""

import re

from flask import Request

from web.problems import Problem

LONGEST_SECONDS = 25
_WAIT = re.compile(r'wait\s*=\s*(?:([0-9]{1,9})|"([0-9]{1,9})")')


def preferred_wait(request: Request) -> int:
    """Seconds, at most LONGEST_SECONDS; 0 answers at once. Raises Problem (400) for one that is no number."""
    header = request.headers.get("Prefer")
    if header is None:
        return 0
    preferences = [part.strip().lower() for part in header.replace(";", ",").split(",")]
    if "respond-async" in preferences:
        return 0
    for preference in preferences:
        if preference.partition("=")[0].strip() == "wait":
            match = _WAIT.fullmatch(preference)
            if not match:
                raise Problem(400, "Prefer: wait takes a whole number of seconds, as in wait=10")
            return min(int(match[1] or match[2]), LONGEST_SECONDS)
    return 0


def queried_wait(request: Request) -> int:
    """The same for ?wait=N."""
    text = request.args.get("wait", "0")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Problem(400, "wait takes a whole number of seconds, as in ?wait=10")
    return min(int(text), LONGEST_SECONDS)


def require_json_wanted(request: Request) -> None:
    """Raises Problem (406) if the header Accept leaves JSON out."""
    wanted = request.headers.get("Accept")
    if wanted and wanted != "*/*" and not request.accept_mimetypes["application/json"]:
        raise Problem(406, "the answer is application/json; accept that")
