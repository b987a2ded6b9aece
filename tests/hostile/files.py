"""Makes hostile files for the shipped model `salary`, whose only feature is `years`."""

import gzip
import zipfile
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet

CSV, NDJSON, PARQUET = "text/csv", "application/x-ndjson", "application/vnd.apache.parquet"
MIB = 1024 * 1024


class HostileFile(NamedTuple):
    """`query` has the options of the batch."""

    name: str
    media_type: str
    query: str
    data: bytes


def costly_files() -> Iterator[HostileFile]:
    """Each would take much memory, time or room for its size, if it were read without limits."""
    for results in ("csv", "ndjson", "parquet"):
        query = f"?results={results}"
        for name, data in _costly_parquet():
            yield HostileFile(f"parquet-{name}-{results}", PARQUET, query, data)
        for name, data in _costly_ndjson():
            yield HostileFile(f"ndjson-{name}-{results}", NDJSON, query, data)
        for name, data in _costly_csv():
            yield HostileFile(f"csv-{name}-{results}", CSV, query, data)


def _costly_parquet() -> Iterator[tuple[str, bytes]]:
    years = pa.array(np.full(65_536, 2.5))
    for size in (16 * 1024, 256 * 1024, 9 * MIB):
        long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(65_536, np.int32)), ["x" * size])
        yield f"long-text-{size}", _parquet({"years": years, "note": long}, store_schema=False)
    heavy = pa.array(["y" * 7 * MIB] * 30)
    yield "heavy-rows", _parquet({"years": years[:30], "note": heavy}, use_dictionary=False)
    values = pa.array(np.zeros(20 * MIB))
    yield (
        "long-list",
        _parquet({"years": years[:1], "note": pa.ListArray.from_arrays([0, len(values)], values)}),
    )
    for length in (1_000, 500_000):
        nested = pa.StructArray.from_arrays(
            [pa.nulls(65_536, pa.int8())] * 20, [f"{n:0{length}}" for n in range(20)]
        )
        yield f"long-names-within-{length}", _parquet({"years": years, "note": nested})
    yield "many-columns", _parquet({"years": years[:1]} | {f"c{n}": years[:1] for n in range(12_000)})
    numbers = np.random.default_rng(5).random((9_999, 200))
    yield (
        "wide",
        _parquet({"years": years[:200]} | {f"c{n}": each for n, each in enumerate(numbers)}, times=2),
    )
    yield "many-equal-rows", _parquet({"years": years}, times=300)


def _costly_ndjson() -> Iterator[tuple[str, bytes]]:
    members = (",".join(f'"m{line * 640 + n}":1' for n in range(640)) for line in range(1_000))
    yield "many-members", b"".join(b'{"years":1,%b}\n' % each.encode() for each in members)
    yield "many-lists", b'{"years":1,"x":[%b[]]}\n' % (b"[]," * 2_000_000)
    yield "many-short-lines", b"{}\n" * 300_000


def _costly_csv() -> Iterator[tuple[str, bytes]]:
    names = ",".join(f"{n:028}" for n in range(9_000))
    yield "long-names", f"years,{names}\n".encode() + b"1%b\n" % (b"," * 9_000) * 300
    yield "many-columns", b"years" + b",a" * 30_000 + b"\n1" + b"," * 30_000
    wide = b"years" + b"".join(b",c%d" % n for n in range(9_999))
    yield "wide", wide + (b"\n2.5" + b",1.5" * 9_999) * 420
    yield "wide-and-empty", wide + (b"\n1" + b"," * 9_999) * 840
    rows = b"years\n" + b"2.5\n" * (75 * MIB)
    yield "gzip", gzip.compress(rows, 1)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("rows.csv", rows)
    yield "zip", packed.getvalue()


def _parquet(columns: dict[str, Any], times: int = 1, **options: Any) -> bytes:
    table, written = pa.table(columns), BytesIO()
    with pyarrow.parquet.ParquetWriter(written, table.schema, compression="zstd", **options) as writer:
        for _ in range(times):
            writer.write_table(table)
    return written.getvalue()


Damage = Callable[[Random, bytearray], None]


def damaged_files(seed: int, number: int) -> Iterator[HostileFile]:
    """Good files of each format that something happened to."""
    chance, originals = Random(seed), list(_good_files())  # noqa: S311 (no secret)
    for count in range(number):
        original = chance.choice(originals)
        data = bytearray(original.data)
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            chance.choice(DAMAGES)(chance, data)
        query = f"?results={chance.choice(('csv', 'ndjson', 'parquet'))}"
        yield original._replace(name=f"{count}-{original.name}", data=bytes(data), query=query)


def _good_files() -> Iterator[HostileFile]:
    rows = [(number / 7, f"name, {number}", number % 3 == 0) for number in range(40)]
    csv = "years,name,flag\n" + "".join(f'{years},"{name}",{flag}\n' for years, name, flag in rows)
    lines = "".join(f'{{"years":{years},"name":"{name}","more":[{{}}]}}\n' for years, name, _ in rows)
    columns: dict[str, Any] = dict(
        zip(("years", "name", "flag"), map(list, zip(*rows, strict=True)), strict=True)
    )
    columns |= {"list": [[1, 2], [], None, ["3"]][:3] * 13 + [[4]], "within": [{"a": "b", "c": 1.5}] * 40}
    yield HostileFile("csv", CSV, "", csv.encode())
    yield HostileFile("utf16", CSV, "", csv.encode("utf-16"))
    yield HostileFile("ndjson", NDJSON, "", lines.encode())
    yield HostileFile("csv.gz", CSV, "", gzip.compress(csv.encode(), mtime=0))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("rows.csv"), csv)
    yield HostileFile("csv.zip", CSV, "", packed.getvalue())
    for options in ({}, {"use_dictionary": False, "data_page_version": "2.0"}):
        yield HostileFile("parquet", PARQUET, "", _parquet(columns, times=3, **options))


def _flip(chance: Random, data: bytearray) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _cut(chance: Random, data: bytearray) -> None:
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.choice((1, 8, 100, len(data)))]


def _double(chance: Random, data: bytearray) -> None:
    start = chance.randrange(len(data) + 1)
    data[start:start] = data[start : start + chance.choice((1, 8, 100))] * chance.choice((1, 2, 50))


def _insert(chance: Random, data: bytearray) -> None:
    start = chance.randrange(len(data) + 1)
    data[start:start] = chance.choice(PIECES)


PIECES = (b"\0", b'"', b"\n", b",", b"\xff\xff\xff\xff\x0f", b"1e999", b"[" * 300, b"{", b"\\u0000")
DAMAGES: Sequence[Damage] = (_flip, _flip, _flip, _cut, _double, _insert)
