"""What a report is about: a bundle, the rows of a table as it sees them, and predictions beside the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.comparing.scores import ScoredTable, arrays_of, score_table
from model.description.errors import BundleError
from model.description.manifest import Manifest
from model.measuring.judged import Judged, judge
from model.measuring.resampling import Resampled
from model.preparation import Matrix, MissingValues
from model.tables.table import Table
from model.training.column import TableColumn
from model.training.dataset import Dataset
from model.training.target import Target
from model.training.trained import TrainedModel

MODEL = "the model"


@dataclass(frozen=True)
class Subject:
    """`matrix` has the scored rows of the table, whose positions there are `rows`.

    `judged` is empty without labels. `others` are predictions of the judged rows by other models, such as a
    linear one. `held_out` tells that each row was scored by trees that had not seen it. `unscored` says what
    is wrong with rows that cannot be scored. `command` is what the report was made with.
    """

    bundle: Bundle
    table: Table
    matrix: Matrix
    rows: NDArray[np.int64]
    judged: Sequence[Judged]
    command: str
    others: Mapping[str, Judged] = field(default_factory=dict)
    held_out: bool = False
    unscored: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def manifest(self) -> Manifest:
        return self.bundle.manifest

    @cached_property
    def columns(self) -> list[TableColumn]:
        """The features of the scored rows; what counts as missing is NaN."""
        schema, missing = self.manifest.schema, self.manifest.missing
        present = MissingValues.of(schema, missing).blank(self.matrix.astype(np.float32)).astype(np.float64)
        return [
            TableColumn(feature.name, feature.type, present[:, position], tuple(feature.categories))
            for position, feature in enumerate(schema.features)
        ]

    @property
    def learned(self) -> bool:
        """Whether the model was trained on this very table."""
        return self.manifest.training.get("sha256") == self.table.sha256 and not self.manifest.proof

    def target_of(self, judged: Judged) -> Target:
        """Return the target as the checks of the data know it."""
        return Target(judged.target, judged.objective, judged.labels, tuple(judged.classes))

    def positions(self, judged: Judged) -> NDArray[np.int64]:
        """Return which rows of the matrix these are."""
        return np.searchsorted(self.rows, judged.rows)


@dataclass(frozen=True)
class Contest:
    """A model beside others on the same rows."""

    names: Sequence[str]
    judged: Sequence[Judged]
    resampled: Resampled
    metrics: Sequence[str]

    def position(self, name: str, metric: str) -> int:
        """Return where the metric is in `resampled`."""
        return self.names.index(name) * len(self.metrics) + self.metrics.index(metric)


def contest(entries: Mapping[str, Judged]) -> Contest:
    """Measure several predictions of the same rows, on the same resamples; the first have all metrics."""
    judged = list(entries.values())
    metrics = list(judged[0].measures)
    measures = [each.measures.get(metric, _unknown) for each in judged for metric in metrics]
    return Contest(list(entries), judged, Resampled(measures, len(judged[0].labels)), metrics)


def _unknown(weights: NDArray[Any]) -> float:
    return float("nan")


def subject_of_table(bundle: Bundle, table: Table, command: str) -> Subject:
    """Score a table; raises BundleError if the bundle can score none of its rows."""
    scored = score_table(bundle, bundle.manifest.ref, arrays_of(table.columns), table.columns.num_rows)
    return subject_of_scores(scored, table, command)


def subject_of_scores(scored: ScoredTable, table: Table, command: str) -> Subject:
    """Judge scores of a table; raises BundleError if there are none."""
    faults = list(unscored(scored))
    if scored.outputs is None:
        raise BundleError(f"{table.file}: no row can be scored: {faults[0]}")
    judged = judge(scored.bundle, scored.outputs, scored.rows, arrays_of(table.columns))
    bundle, matrix, rows = scored.bundle, scored.matrix, scored.rows
    return Subject(bundle, table, matrix, rows, judged, command, unscored=faults, notes=table.notes)


def subject_of_training(
    bundle: Bundle, table: Table, dataset: Dataset, trained: TrainedModel, command: str
) -> Subject:
    """Judge the scores that rows got while they were held out."""
    rows, target = np.arange(dataset.rows), dataset.target
    judged = {
        name: Judged(target.name, target.objective, target.labels, predictions, rows, target.classes)
        for name, predictions in trained.held_out.items()
    }
    linear = {"a linear model": judged["linear"]} if "linear" in judged else {}
    matrix = dataset.matrix.astype(bundle.matrix_type)
    return Subject(
        bundle, table, matrix, rows, [judged["model"]], command, linear, held_out=True, notes=dataset.notes
    )


def unscored(scored: ScoredTable) -> list[str]:
    """Say how many rows cannot be scored, and why the first of them."""
    if not scored.faults:
        return []
    row, [fault, *_] = next(iter(sorted(scored.faults.items())))
    first = f"the first is row {row + 1}: {fault.feature} {fault.detail}"
    return [f"{len(scored.faults):,} rows cannot be scored; {first}"]
