"""Where a model comes from: the file of a booster, and what its folder tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from model.description.errors import BundleError
from model.tables.table import Table


@dataclass(frozen=True)
class ExampleRows:
    """Rows that came with the model; without `columns` they are in the order of its features."""

    file: str
    rows: Sequence[Sequence[Any]]
    columns: Sequence[str] = ()

    def table(self, names: Sequence[str]) -> Table:
        """Make a table, of which `names` are the features; raises BundleError."""
        columns = self.columns or names
        if any(len(row) != len(columns) for row in self.rows):
            raise BundleError(f"{self.file}: its rows do not have {len(columns)} values")
        try:
            arrays = [pa.array(values) for values in zip(*self.rows, strict=True)]
        except (pa.ArrowException, OverflowError) as error:
            raise BundleError(f"{self.file}: {str(error).partition(chr(10))[0]}") from None
        return Table(self.file, "", pa.table(dict(zip(columns, arrays, strict=True))))


@dataclass(frozen=True)
class ModelSource:
    """`file` is the booster's, and `origin` what the importer named.

    `features` are names, or definitions that lack what the booster knows. `all_trees` tells that its author
    predicts with the rounds after the best iteration too.
    """

    file: Path
    origin: str
    features: Sequence[Any] = ()
    example: ExampleRows | None = None
    all_trees: bool = False
