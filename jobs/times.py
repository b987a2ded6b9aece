"""Times as they are written: RFC 3339, UTC, to the millisecond."""

from datetime import UTC, datetime
from functools import lru_cache


def written(milliseconds: int) -> str:
    """Since 1970."""
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]
