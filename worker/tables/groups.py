"""Row groups of a Parquet file, read in blocks that fit in memory whatever their rows weigh."""

from collections.abc import Iterator, Sequence
from io import RawIOBase
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from jobs.errors import OverLimit
from jobs.files.tables import LONGEST_RECORD
from worker.limits import BLOCK_BYTES, BLOCK_CELLS, ChunkBytes, check_room
from worker.tables.cut import Chunk

PARQUET_ROWS = 65_536
"""Rows of a Parquet file that are read at a time, at most."""
_BUFFER, _LEAST_BUFFER = 1024 * 1024, 8 * 1024
_BUFFERS = 32 * 1024 * 1024
"""Each column has a buffer; so many bytes have all of them together."""
_NUMBER_BYTES = 8
_BYTES_OF_COLUMN = 20 * 1024
"""What a block takes for each column beside its values, see check_room."""


def read_group(
    file: RawIOBase, chunk: Chunk, names: Sequence[str], most: int, as_text: bool
) -> Iterator[pa.RecordBatch]:
    """The rows of the chunk, in blocks of at most `most` rows and about BLOCK_BYTES, also as text.

    Raises ArrowInvalid if there are fewer: pyarrow ends without an error where a column has no more values.
    """
    source, groups = _open(file), range(chunk.group, chunk.group + chunk.groups)
    check_room(2 * BLOCK_BYTES + _BYTES_OF_COLUMN * source.metadata.num_columns)
    row = _Row.of(source.metadata.schema, as_text)
    rows = min(most, *(_rows_that_fit(file, source.metadata, row, number) for number in groups))
    at, unpacked = 0, ChunkBytes(chunk.size)
    for batch in source.iter_batches(rows, groups, names, use_threads=False):
        first, last = max(chunk.start - at, 0), min(chunk.end - at, batch.num_rows)
        at += batch.num_rows
        if first < last:
            unpacked.add(batch.nbytes)
            yield batch.slice(first, last - first)
        if at >= chunk.end:
            break
    if at < chunk.end:
        raise pa.ArrowInvalid(f"{at} rows instead of {chunk.end}")


def read_schema(file: RawIOBase, names: Sequence[str]) -> pa.Schema:
    """The columns of these names, without reading any row."""
    schema = _open(file).schema_arrow
    return pa.schema([schema.field(name) for name in names])


def _open(
    file: RawIOBase, footer: pyarrow.parquet.FileMetaData | None = None, dictionaries: Sequence[str] = ()
) -> pyarrow.parquet.ParquetFile:
    """With the footer, if it was read before: one of many columns takes long to read."""
    footer = footer or pyarrow.parquet.read_metadata(file)
    # No read-ahead and small buffers, because a row group may be larger than memory.
    buffer = max(min(_BUFFER, _BUFFERS // max(footer.num_columns, 1)), _LEAST_BUFFER)
    return pyarrow.parquet.ParquetFile(
        file, metadata=footer, pre_buffer=False, buffer_size=buffer, read_dictionary=list(dictionaries)
    )


class _Row(NamedTuple):
    """What the schema says of a row: the paths of its `texts`, and the bytes of all else.

    As text, a row has `names` too: those within a column, in bytes.
    """

    texts: list[str]
    values: int
    names: int

    @classmethod
    def of(cls, schema: pyarrow.parquet.ParquetSchema, as_text: bool) -> "_Row":
        leaves = [schema.column(position) for position in range(len(schema))]
        within = (len(leaf.path) for leaf in leaves if leaf.path != leaf.name)
        return cls(
            texts=[leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"],
            values=sum(max(leaf.length, _NUMBER_BYTES) for leaf in leaves),
            names=sum(within) if as_text else 0,
        )


def _rows_that_fit(file: RawIOBase, footer: pyarrow.parquet.FileMetaData, row: _Row, number: int) -> int:
    """How many rows of the group have about BLOCK_BYTES. A dictionary may repeat one long text in each row.

    Raises OverLimit for rows that average beyond LONGEST_RECORD. No group is asked about its columns: pyarrow
    ends the process where one is encrypted.
    """
    group = footer.row_group(number)
    average, longest = (
        group.total_byte_size // max(group.num_rows, 1),
        list(_longest_texts(file, footer, number, row.texts)),
    )
    if (size := max(average, *longest, 0)) > LONGEST_RECORD:
        raise OverLimit(
            f"a row has {size} bytes or more; it may have {LONGEST_RECORD}, leave long columns out"
        )
    fitting: int = BLOCK_BYTES // int(max(average, row.values) + sum(longest) + row.names)
    most: int = BLOCK_CELLS // footer.num_columns
    return max(min(fitting, most), 1)


def _longest_texts(
    file: RawIOBase, footer: pyarrow.parquet.FileMetaData, number: int, leaves: Sequence[str]
) -> Iterator[int]:
    """The bytes of the longest text in the dictionary of each leaf, which is read with its first row."""
    if leaves:
        source = _open(file, footer, leaves)
        for first in islice(source.iter_batches(1, [number], leaves, use_threads=False), 1):
            for column in first.columns:
                for leaf in _leaves(column):
                    yield int(pc.max(pc.binary_length(leaf.dictionary)).as_py() or 0)


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    """The arrays of texts in an array of lists, structs or maps."""
    if pa.types.is_dictionary(array.type):
        yield array
    elif pa.types.is_struct(array.type):
        for field in array.flatten():
            yield from _leaves(field)
    else:
        yield from _leaves(array.values)
