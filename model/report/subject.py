"""What a report is about: a bundle, the rows of a table as it sees them, and their evaluation."""

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
from model.evaluation.evaluate import Evaluation, evaluate
from model.evaluation.resampling import Resampled
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

    `evaluations` is empty without labels. `others` are other models on the same rows, such as a linear one.
    `held_out` tells that each row was scored by trees that had not seen it. `unscored` says what is wrong
    with rows that cannot be scored. `command` is what the report was made with.
    """

    bundle: Bundle
    table: Table
    matrix: Matrix
    rows: NDArray[np.int64]
    evaluations: Sequence[Evaluation]
    command: str
    others: Mapping[str, Evaluation] = field(default_factory=dict)
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

    def target_of(self, evaluation: Evaluation) -> Target:
        """Return the target as the checks of the data know it."""
        return Target(evaluation.target, evaluation.objective, evaluation.labels, tuple(evaluation.classes))

    def positions(self, evaluation: Evaluation) -> NDArray[np.int64]:
        """Return which rows of the matrix these are."""
        return np.searchsorted(self.rows, evaluation.rows)


@dataclass(frozen=True)
class MetricComparison:
    """A model beside others on the same rows."""

    names: Sequence[str]
    evaluations: Sequence[Evaluation]
    resampled: Resampled
    metrics: Sequence[str]

    def position(self, name: str, metric: str) -> int:
        """Return where the metric is in `resampled`."""
        return self.names.index(name) * len(self.metrics) + self.metrics.index(metric)


def compare_metrics(entries: Mapping[str, Evaluation]) -> MetricComparison:
    """Measure several predictions of the same rows, on the same resamples; the first have all metrics."""
    evaluations = list(entries.values())
    names = list(dict.fromkeys([evaluations[0].deciding, *evaluations[0].metrics]))
    metrics = [each.metrics.get(name, _unknown) for each in evaluations for name in names]
    return MetricComparison(list(entries), evaluations, Resampled(metrics, len(evaluations[0].labels)), names)


def _unknown(weights: NDArray[Any]) -> float:
    return float("nan")


def subject_of_table(bundle: Bundle, table: Table, command: str) -> Subject:
    """Score a table; raises BundleError if the bundle can score none of its rows."""
    scored = score_table(bundle, bundle.manifest.ref, arrays_of(table.columns), table.columns.num_rows)
    return subject_of_scores(scored, table, command)


def subject_of_scores(scored: ScoredTable, table: Table, command: str) -> Subject:
    """Evaluate scores of a table; raises BundleError if there are none."""
    faults = list(unscored(scored))
    if scored.outputs is None:
        raise BundleError(f"{table.file}: no row can be scored: {faults[0]}")
    evaluations = evaluate(scored.bundle, scored.outputs, scored.rows, arrays_of(table.columns))
    bundle, matrix, rows = scored.bundle, scored.matrix, scored.rows
    return Subject(bundle, table, matrix, rows, evaluations, command, unscored=faults, notes=table.notes)


def subject_of_training(
    bundle: Bundle, table: Table, dataset: Dataset, trained: TrainedModel, command: str
) -> Subject:
    """Evaluate the scores that rows got while they were held out."""
    rows, target = np.arange(dataset.rows), dataset.target
    evaluations = {
        name: Evaluation(target.name, target.objective, target.labels, predictions, rows, target.classes)
        for name, predictions in trained.held_out.items()
    }
    linear = {"a linear model": evaluations["linear"]} if "linear" in evaluations else {}
    matrix = dataset.matrix.astype(bundle.matrix_type)
    return Subject(
        bundle,
        table,
        matrix,
        rows,
        [evaluations["model"]],
        command,
        linear,
        held_out=True,
        notes=dataset.notes,
    )


def unscored(scored: ScoredTable) -> list[str]:
    """Say how many rows cannot be scored, and why the first of them."""
    if not scored.faults:
        return []
    row, [fault, *_] = next(iter(sorted(scored.faults.items())))
    first = f"the first is row {row + 1}: {fault.feature} {fault.detail}"
    return [f"{len(scored.faults):,} rows cannot be scored; {first}"]
