"""Row groups of a Parquet file, read in blocks that fit in memory whatever their rows weigh."""

from collections.abc import Iterator, Sequence
from io import RawIOBase

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from jobs.errors import OverLimit
from jobs.files.tables import LONGEST_RECORD
from worker.tables.cut import Chunk
from worker.tables.limits import BLOCK_BYTES, ChunkBytes

PARQUET_ROWS = 65_536
"""Rows of a Parquet file that are read at a time, at most."""
_BUFFER = 1024 * 1024
_NUMBER_BYTES = 8


def read_group(
    file: RawIOBase, chunk: Chunk, names: Sequence[str], most: int, as_text: bool
) -> Iterator[pa.RecordBatch]:
    """The rows of the chunk, in blocks of at most `most` rows and about BLOCK_BYTES, also as text."""
    source, groups = _open(file), range(chunk.group, chunk.group + chunk.groups)
    rows = min(most, *(_rows_that_fit(file, source.metadata, number, as_text) for number in groups))
    at, unpacked = 0, ChunkBytes(chunk.size)
    for batch in source.iter_batches(rows, groups, names, use_threads=False):
        first, last = max(chunk.start - at, 0), min(chunk.end - at, batch.num_rows)
        at += batch.num_rows
        if first < last:
            unpacked.add(batch.nbytes)
            yield batch.slice(first, last - first)
        if at >= chunk.end:
            break


def read_schema(file: RawIOBase, names: Sequence[str]) -> pa.Schema:
    """The columns of these names, without reading any row."""
    schema = _open(file).schema_arrow
    return pa.schema([schema.field(name) for name in names])


def _open(file: RawIOBase, dictionaries: Sequence[str] = ()) -> pyarrow.parquet.ParquetFile:
    # No read-ahead and a small buffer, because a row group may be larger than memory.
    return pyarrow.parquet.ParquetFile(
        file, pre_buffer=False, buffer_size=_BUFFER, read_dictionary=list(dictionaries)
    )


def _rows_that_fit(
    file: RawIOBase, metadata: pyarrow.parquet.FileMetaData, number: int, as_text: bool
) -> int:
    """How many rows of the group have about BLOCK_BYTES. A dictionary may repeat one long text in each row.

    Raises OverLimit for rows that average beyond LONGEST_RECORD. No group is asked about its columns: pyarrow
    ends the process where one is encrypted.
    """
    group = metadata.row_group(number)
    leaves = [metadata.schema.column(position) for position in range(metadata.num_columns)]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    average, longest = (
        group.total_byte_size // max(group.num_rows, 1),
        list(_longest_texts(file, number, texts)),
    )
    if (size := max(average, *longest, 0)) > LONGEST_RECORD:
        raise OverLimit(
            f"a row has {size} bytes or more; it may have {LONGEST_RECORD}, leave long columns out"
        )
    row = max(average, sum(max(leaf.length, _NUMBER_BYTES) for leaf in leaves)) + sum(longest)
    if as_text:  # with the names within a column
        row += sum(len(leaf.path) for leaf in leaves if leaf.path != leaf.name)
    return max(BLOCK_BYTES // int(row), 1)


def _longest_texts(file: RawIOBase, number: int, leaves: Sequence[str]) -> Iterator[int]:
    """The bytes of the longest text in the dictionary of each leaf, which is read with its first row."""
    if leaves:
        source = _open(file, leaves)
        first = next(source.iter_batches(1, [number], leaves, use_threads=False))
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
