"""The scores that the model's author saw: where they are, what they are, and whether they equal others."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.description.errors import BundleError
from model.tables.table import Table, read_table

MOST_DIGITS = 8
"""float32 needs up to nine significant digits; scores with fewer in every row are rounded."""
LARGEST_FILE = 1 << 30
EXACTLY = "write them exactly: DataFrame.to_csv without float_format, or numpy.save"

Floats = NDArray[np.float64]


class Rounding(NamedTuple):
    """How many digits all scores have, and how far each may be from the exact one."""

    digits: str
    tolerance: Floats


@dataclass(frozen=True, eq=False)
class AuthorScores:
    """`values` has shape (rows,) or (rows, classes or quantiles); `labels` are the texts of classes instead.

    `roundings` are the ways in which they may be rounded; none if they have all their digits.
    """

    origin: str
    values: Floats
    labels: tuple[str, ...] = ()
    roundings: tuple[Rounding, ...] = ()

    def equal(self, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which rows have the same bits in float32."""
        with np.errstate(over="ignore"):
            same = np.equal(self.values.astype(np.float32), scores).reshape(len(scores), -1)
        rows: NDArray[np.bool_] = np.logical_and.reduce(same, axis=1)
        return rows

    def select(self, rows: NDArray[np.int64]) -> "AuthorScores":
        """Return the scores of these rows."""
        labels = tuple(self.labels[row] for row in rows) if self.labels else ()
        roundings = tuple(Rounding(one.digits, one.tolerance[rows]) for one in self.roundings)
        return AuthorScores(self.origin, self.values[rows], labels, roundings)


@dataclass(frozen=True)
class ScoresOption:
    """What `--scores` says: columns of the sample, or of a file; no columns means all of the file's."""

    columns: tuple[str, ...]
    file: Path | None = None

    @classmethod
    def parse(cls, text: str) -> "ScoresOption":
        """Read COLUMN, COLUMN,COLUMN, FILE or FILE:COLUMNS."""
        if Path(text).is_file():
            return cls((), Path(text))
        file, colon, columns = text.rpartition(":")
        if colon and Path(file).is_file():
            return cls(_names(columns), Path(file))
        if colon and ("/" in file or file.endswith((".csv", ".parquet", ".npy"))):
            raise BundleError(f"--scores: there is no file {file}")
        return cls(_names(text))

    def columns_of(self, sample: Sequence[str]) -> tuple[str, ...]:
        """Return those in a sample of these columns; raises BundleError if one is not there."""
        if self.file:
            return ()
        whole = ",".join(self.columns)
        if whole in sample:
            return (whole,)
        for name in self.columns:
            if name not in sample:
                raise BundleError(
                    f"--scores: {name!r} is neither a file nor a column of the sample; "
                    f"its columns are {', '.join(map(repr, sample))}"
                )
        return self.columns


def read_scores(option: ScoresOption, sample: Table) -> AuthorScores:
    """Read one score, or several, for each row of the sample; raises BundleError or TableError."""
    if option.file is None:
        columns = option.columns_of(sample.columns.column_names)
        origin, table = f"{', '.join(columns)} of {sample.file}", sample.columns.select(list(columns))
    elif option.file.stat().st_size > LARGEST_FILE:
        raise BundleError(f"{option.file.name}: scores of more than {LARGEST_FILE} bytes are not read")
    else:
        origin, table = option.file.name, _read_file(option.file, option.columns)
    if table.num_rows != sample.columns.num_rows:
        raise BundleError(
            f"{origin}: has {table.num_rows} scores, but {sample.file} has {sample.columns.num_rows} rows; "
            "give the score of each row, in the order of the rows"
        )
    return _author_scores(origin, table)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _read_file(file: Path, columns: Sequence[str]) -> pa.Table:
    if file.suffix == ".npy":
        return _read_array(file)
    if _has_no_header(file):
        rows = list(csv.reader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
        return pa.table({str(number): list(column) for number, column in enumerate(zip(*rows, strict=True))})
    table = read_table(file).columns
    for name in columns:
        if name not in table.column_names:
            raise BundleError(
                f"{file.name}: has no column {name!r}; it has {', '.join(map(repr, table.column_names))}"
            )
    return table.select(list(columns)) if columns else table


def _read_array(file: Path) -> pa.Table:
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise BundleError(f"{file.name}: is not an array of numbers that numpy.save wrote") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.ndim not in (1, 2):
        raise BundleError(f"{file.name}: must hold numbers, in one or two dimensions")
    columns = array.reshape(len(array), -1).T
    return pa.table({str(number): column for number, column in enumerate(columns)})


def _has_no_header(file: Path) -> bool:
    """Return whether the first line is all numbers, as `numpy.savetxt` writes them."""
    with file.open("rb") as opened:
        start = opened.readline(65_536)
    fields = start.decode("utf-8", "replace").strip().split(",")
    return all(_number(field) is not None for field in fields)


def _author_scores(origin: str, table: pa.Table) -> AuthorScores:
    columns = [column.to_pylist() for column in table.columns]
    if len(columns) == 1 and all(isinstance(value, str) and _number(value) is None for value in columns[0]):
        return AuthorScores(origin, np.zeros(len(columns[0])), tuple(columns[0]))
    numbers = [[_number(value) for value in column] for column in columns]
    for column in numbers:
        for row, number in enumerate(column):
            if number is None or not np.isfinite(number):
                raise BundleError(f"{origin}: the score of row {row + 1} is missing or not a finite number")
    scores = np.array(numbers, dtype=np.float64).T
    shape = scores.shape[:1] if scores.shape[1] == 1 else scores.shape
    values = scores.reshape(shape)
    return AuthorScores(origin, values, (), tuple(_roundings(values)))


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]  # a text that is no number raises ValueError
    except (TypeError, ValueError):
        return None


def _roundings(scores: Floats) -> Iterator[Rounding]:
    """Find the fewest decimals, and the fewest significant digits, that all scores have."""
    for decimals in range(MOST_DIGITS):
        if np.array_equal(np.round(scores, decimals), scores):
            yield Rounding(f"{decimals} decimals", np.full(scores.shape, 0.5 * 10.0**-decimals))
            break
    listed = scores.ravel().tolist()
    for digits in range(1, MOST_DIGITS + 1):
        if [float(f"{score:.{digits}g}") for score in listed] == listed:
            exponents = np.floor(np.log10(np.maximum(np.abs(scores), 1e-300)))
            yield Rounding(f"{digits} significant digits", 0.5 * 10.0 ** (exponents - digits + 1))
            break
