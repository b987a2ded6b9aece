"""Scores one chunk of a table: from the bytes of the file to a part of the results."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from jobs.errors import FilesAway, NoTable
from jobs.files import Files
from jobs.tables import Format
from model.columns import ColumnCheck
from model.schema import Schema
from worker.tables.columns import Columns, joined
from worker.tables.layout import Chunk, Layout
from worker.tables.read import Rows, read_rows
from worker.tables.score import Matrix, Predict, Scores, Stopped, given_up, score_rows
from worker.tables.write import PartWriter, write_errors

AT_ONCE = 32_768
"""Rows that one call of the model scores, so that nobody waits long who wants to stop."""


class Part(NamedTuple):
    rows: int
    failed: int


class ChunkScorer:
    """Scores chunks of one table with one model. Doing a chunk again writes the same part again."""

    def __init__(
        self, files: Files, layout: Layout, schema: Schema, predict: Predict, names: Sequence[str]
    ) -> None:
        self._files = files
        self._layout = layout
        self._features = schema.names
        self._check = ColumnCheck(schema, empty_is_null=layout.input is Format.CSV)
        self._predict = predict
        self._names = names

    def score(
        self,
        source: Files,
        name: str,
        chunk: Chunk,
        part: str,
        wanted: Callable[[], bool],
        hopeless: bool = False,
    ) -> Part:
        """Writes `part`, and `part`.errors if rows have failed. If it is hopeless, all of them do.

        Raises Stopped once the chunk is not wanted, and NoTable if the file is damaged.
        """
        rows = failed = 0
        errors = []
        with self._files.create(part) as file, PartWriter(self._layout, file) as writer:
            for some in _intact(read_rows(source, name, self._layout, self._features, chunk), chunk):
                scores = self._score(some, wanted, hopeless)
                writer.write(some, scores)
                errors.append(write_errors(scores, rows))
                rows += some.number
                failed += len(scores.faults)
        if failed:
            with self._files.create(f"{part}.errors") as file:
                for lines in errors:
                    file.write(lines)
        return Part(rows, failed)

    def _score(self, rows: Rows, wanted: Callable[[], bool], hopeless: bool) -> Scores:
        if hopeless:
            return given_up(self._names, rows)
        return score_rows(self._check, _while_wanted(self._predict, wanted), self._names, rows)


def _while_wanted(predict: Predict, wanted: Callable[[], bool]) -> Predict:
    def predict_slices(matrix: Matrix) -> Columns:
        pieces: list[tuple[int, Columns | None]] = []
        for start in range(0, len(matrix), AT_ONCE):
            if not wanted():
                raise Stopped
            some = matrix[start : start + AT_ONCE]
            pieces.append((len(some), predict(some)))
        return joined(pieces, list(pieces[0][1] or ()))

    return predict_slices


def _intact(read: Iterator[Rows], chunk: Chunk) -> Iterator[Rows]:
    """pyarrow says in many ways that the pages of a row group cannot be read."""
    try:
        yield from read
    except FilesAway:
        raise
    except (pa.ArrowException, OSError) as error:
        raise NoTable(f"row group {chunk.group} cannot be read: the file is damaged") from error
