"""What is wrong with a file itself, so that trying it again does not help."""

from typing import NamedTuple

import orjson

from jobs.errors import FileMissing, FilesForbidden, InvalidTable, OverLimit

FILE_FAULTS = (InvalidTable, FileMissing, FilesForbidden)
INVALID_TABLE = "invalid_table"


class FileFault(NamedTuple):
    type: str
    detail: str

    def to_json(self) -> bytes:
        return orjson.dumps(self._asdict())


def fault_of(error: Exception) -> FileFault:
    """`error` is one of FILE_FAULTS."""
    if isinstance(error, OverLimit):
        return FileFault("over_limit", str(error))
    return FileFault(INVALID_TABLE if isinstance(error, InvalidTable) else "file_missing", str(error))
