"""The layout of a table and its chunks. Planning decides both, and every consumer of the batch uses them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import orjson

from jobs.files.tables import Format


@dataclass(frozen=True)
class Layout:
    """The columns of a table.

    `names` are those of the input (of NDJSON, those of its first rows), `passthrough` those of them that the
    results have too, and `scored` those that results add: the outputs of the model, the warnings if it
    `warns`, and the error.
    """

    input: Format
    results: Format
    names: tuple[str, ...]
    passthrough: tuple[str, ...]
    scored: tuple[str, ...]
    encoding: str = "utf-8"
    warns: bool = False

    def to_json(self) -> bytes:
        """The passthrough columns are called `kept` here, because workers of the previous release read it."""
        fields = asdict(self)
        fields["kept"] = fields.pop("passthrough")
        return orjson.dumps(fields)

    @classmethod
    def from_json(cls, text: bytes) -> "Layout":
        fields = orjson.loads(text)
        return cls(
            input=Format(fields["input"]),
            results=Format(fields["results"]),
            names=tuple(fields["names"]),
            passthrough=tuple(fields["kept"]),
            scored=tuple(fields["scored"]),
            encoding=fields["encoding"],
            warns=fields.get("warns", False),  # an earlier release had no warnings
        )


class Chunk(NamedTuple):
    """The bytes from start to end of a file; of Parquet, the rows from start to end of a row group."""

    start: int
    end: int
    group: int = 0
    rows: int = 0
    """As counted before the chunk is parsed; blank lines and quoted line ends count too."""
    size: int = 0
    """In bytes."""

    def to_text(self) -> str:
        return ":".join(map(str, self))

    @classmethod
    def from_text(cls, text: str) -> "Chunk":
        return cls(*map(int, text.split(":")))


def passthrough_names(names: Sequence[str], features: Sequence[str], include_inputs: bool) -> tuple[str, ...]:
    """`include_inputs` adds the features, also those that the first rows of NDJSON do not have."""
    if include_inputs:
        return tuple(dict.fromkeys((*names, *features)))
    return tuple(name for name in names if name not in set(features))
