"""Tables in memory, scored as files are: for engines that cut and spread a table themselves."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from jobs.files.tables import Format, added_names
from model.bundle import Bundle
from model.description.manifest import Manifest
from worker.tables.passthrough import ArrowColumns
from worker.tables.plan import TableRequest, lay_out
from worker.tables.read import Rows
from worker.tables.score import RowScorer, all_at_once
from worker.tables.write import parquet_table

ROWS = 65_536
"""Rows that are scored at a time."""


class TableScorer:
    """Adds to each row its outputs, its warnings, and in `error` why it has no score.

    Make one in each process that scores: XGBoost does not survive a fork. `missing` are texts that stand for
    no value, and `prefix` begins the names of the columns that are added.
    """

    def __init__(self, directory: str | Path, missing: Sequence[str] = (), prefix: str = "") -> None:
        """Load the bundle in a directory; raises BundleError."""
        bundle = Bundle.load(Manifest.read(Path(directory)))
        schema, warns = bundle.manifest.schema, bundle.manifest.warns
        scored = added_names(bundle.manifest.columns[False], warns, prefix)
        self._request = TableRequest(
            Format.PARQUET, Format.PARQUET, schema, scored, include_inputs=True, warns=warns
        )
        self._rows = RowScorer.of(bundle, missing=missing)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Raises InvalidTable if a column is missing, or has the name of one that is added."""
        layout = lay_out(self._request, tuple(table.column_names))
        blocks = table.combine_chunks().to_batches(ROWS) or [pa.RecordBatch.from_pylist([], table.schema)]
        scored = []
        for block in blocks:
            columns = dict(zip(block.schema.names, block.columns, strict=True))
            features = {name: columns[name] for name in self._request.schema.names if name in columns}
            rows = Rows(block.num_rows, features, ArrowColumns(columns), {})
            scores = self._rows.score(rows, all_at_once(0, block.num_rows), of_csv=False)
            scored.append(parquet_table(layout, rows, scores))
        return pa.concat_tables(scored)
