"""Layouts and chunks travel through Redis as text, between workers of two releases."""

import orjson

from jobs.files.tables import Format
from worker.tables.cut import Chunk
from worker.tables.plan import Layout

LAYOUT = Layout(
    Format.CSV, Format.PARQUET, ("id", "years"), ("id",), ("prediction", "error"), True, ";", ("years",)
)


def test_a_layout_reads_back_from_its_text() -> None:
    assert Layout.from_json(LAYOUT.to_json()) == LAYOUT


def test_the_names_in_the_text_of_a_layout_stay_the_same() -> None:
    assert orjson.loads(LAYOUT.to_json()) == {
        "input": "csv",
        "results": "parquet",
        "names": ["id", "years"],
        "kept": ["id"],
        "scored": ["prediction", "error"],
        "warns": True,
        "delimiter": ";",
        "decimal_commas": ["years"],
        "unknown_decimals": [],
        "escapes": False,
    }


def test_a_chunk_reads_back_from_its_text() -> None:
    chunk = Chunk(7, 19, group=3, rows=12, size=340, groups=2)
    assert (chunk.to_text(), Chunk.from_text("7:19:3:12:340:2")) == ("7:19:3:12:340:2", chunk)
