"""The trace that a caller's request is part of: W3C Trace Context, from web to worker and to webhooks."""

import re

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def checked(traceparent: str) -> str:
    """The header, or nothing for one that is not of version 00: it is passed on and logged."""
    return traceparent if _TRACEPARENT.fullmatch(traceparent) else ""


def trace_fields(traceparent: str) -> dict[str, str]:
    """What the log says of a request or job: its `trace_id`, if its caller sent one."""
    return {"trace_id": traceparent[3:35]} if traceparent else {}
