"""How the table of a batch is laid out: settled once, when it is cut, and the same for each of its chunks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import orjson

from jobs.files.tables import Format


@dataclass(frozen=True)
class Layout:
    """`names` are the columns of the input (of NDJSON, those of its first rows); `kept` are those that go
    into the results as well, and `scored` those that results add: what the model gives, the warnings if
    it `warns`, and the error.
    """

    input: Format
    results: Format
    names: tuple[str, ...]
    kept: tuple[str, ...]
    scored: tuple[str, ...]
    encoding: str = "utf-8"
    warns: bool = False

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> "Layout":
        fields = orjson.loads(text)
        return cls(
            input=Format(fields["input"]),
            results=Format(fields["results"]),
            names=tuple(fields["names"]),
            kept=tuple(fields["kept"]),
            scored=tuple(fields["scored"]),
            encoding=fields["encoding"],
            warns=fields.get("warns", False),  # a release before this one knew no warnings
        )


class Chunk(NamedTuple):
    """Bytes from start to end; of Parquet, rows from start to end of a row group."""

    start: int
    end: int
    group: int = 0
    rows: int = 0
    """As far as can be told before it is read."""
    size: int = 0
    """In bytes."""

    def to_text(self) -> str:
        return ":".join(map(str, self))

    @classmethod
    def from_text(cls, text: str) -> "Chunk":
        return cls(*map(int, text.split(":")))


def kept_names(names: Sequence[str], features: Sequence[str], include_inputs: bool) -> tuple[str, ...]:
    """With the inputs, also those features that the first rows of NDJSON have not."""
    if include_inputs:
        return tuple(dict.fromkeys((*names, *features)))
    return tuple(name for name in names if name not in set(features))
