"""What makes the numbers of a report look better, or worse, than they are."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from model.evaluation.evaluate import Evaluation
from model.report.subject import Subject
from model.report.writing import count, percent
from model.training.data_checks import problems_of

MANY_OUTSIDE = 0.02
MANY_GOLDEN = 0.5
FEW_OF_CLASS, MOST_NAMED = 20, 10
PERFECT = 0.9999


def suspicions(subject: Subject) -> Iterator[str]:
    """Yield a sentence for each, the gravest first."""
    yield from _of_the_split(subject)
    yield from subject.unscored
    yield from subject.notes
    for evaluation in subject.evaluations[:1]:
        rows = subject.positions(evaluation)
        columns = [column.select(_mask(len(column.values), rows)) for column in subject.columns]
        yield from problems_of(columns, subject.target_of(evaluation))
        yield from _of_the_predictions(evaluation)
    if not subject.evaluations:
        yield from problems_of(subject.columns, None)
    yield from _of_the_ranges(subject)


def _of_the_split(subject: Subject) -> Iterator[str]:
    """Say if the model learned from the rows that it is evaluated on."""
    if subject.held_out:
        return
    manifest = subject.manifest
    if subject.learned:
        yield "the model was trained on this table, and every number flatters it; evaluate it on other rows"
        return
    known = {row.tobytes() for row in subject.matrix}
    golden = subject.bundle.encode(manifest.golden.rows)
    found = 0 if manifest.golden.probes else sum(row.tobytes() in known for row in golden)
    if found >= max(2, MANY_GOLDEN * len(golden)):
        yield (
            f"{found} of the bundle's {len(golden)} golden rows are rows of this table; if they come from "
            "the training data, the model has seen rows that it is evaluated on, and the numbers flatter it"
        )


def _of_the_predictions(evaluation: Evaluation) -> Iterator[str]:
    score = evaluation.value("accuracy" if evaluation.classes else "r2")
    if score >= PERFECT and len(evaluation.labels) > 1:
        yield (
            "the predictions are all but perfect; real data seldom allow that, so look for a feature that "
            "knows the target"
        )
    if evaluation.classes:
        counts = np.bincount(evaluation.labels.astype(np.int64), minlength=len(evaluation.classes))
        rare = [
            f"{name!r} ({count(rows)})"
            for name, rows in zip(evaluation.classes, counts.tolist(), strict=True)
            if rows < FEW_OF_CLASS
        ]
        if rare:
            more = f" and {len(rare) - MOST_NAMED} more" if len(rare) > MOST_NAMED else ""
            listed = ", ".join(rare[:MOST_NAMED])
            yield f"classes with too few rows to say how well they are predicted: {listed}{more}"


def _of_the_ranges(subject: Subject) -> Iterator[str]:
    """Say if many rows are unlike those of the training."""
    outside = subject.bundle.warnings(subject.matrix)
    if subject.held_out or len(outside) < MANY_OUTSIDE * len(subject.matrix) or not outside:
        return
    first = outside[min(outside)][0]
    share = percent(len(outside) / len(subject.matrix))
    yield f"{share} of the rows have values that training did not see; {first}"


def _mask(size: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    chosen = np.zeros(size, dtype=bool)
    chosen[rows] = True
    return chosen
