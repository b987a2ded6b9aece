"""Holds a booster to the scores of its author, or to its target where there are no scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.description.checks import SCORE_TYPES
from model.description.errors import BundleError
from model.importing.causes import Question, find_cause
from model.importing.options import ImportOptions
from model.importing.possible_scores import possible_scores
from model.importing.reading import Reading
from model.importing.sample import Sample
from model.importing.sample_checks import find_fault
from model.importing.scores import AuthorScores
from model.importing.target_error import measure, read_target
from model.load_checks import LINK_ULPS, ulps_between

SHOWN = 3
"""How many of the differing rows a message shows."""


@dataclass(frozen=True)
class Proof:
    """How a bundle was proved: `record` is for `bundle.json`, `said` for people.

    `transform_type` is the type in which the inverse of the transform gives the author's bits.
    """

    record: dict[str, Any]
    said: str
    transform_type: str = SCORE_TYPES[1]


NOT_PROVED = Proof(
    {"kind": "none"},
    "not proved: its scores were not compared with those of its author. To prove it, give rows with the "
    "author's scores: --sample rows.csv --scores COLUMN",
)


def prove_by_scores(
    file: str,
    reading: Reading,
    sample: Sample,
    expected: AuthorScores,
    options: ImportOptions,
    others: Sequence[str],
) -> Proof:
    """Compare every row; raises BundleError, which shows rows that differ and what explains them."""
    if not expected.labels and len(np.unique(expected.values, axis=0)) < 2:
        raise BundleError(
            f"{file}: {expected.origin}: a single score, for however many rows, proves nothing; "
            "give rows with different scores"
        )
    record = {"kind": "scores", "rows": sample.rows, "scores": expected.origin}
    scores = reading.scores()
    given = [
        one for one in possible_scores(reading, scores, options.transform, options.classes) if not one.because
    ]
    fitting = [] if expected.labels else [one for one in given if one.scores.shape == expected.values.shape]
    for possible in fitting:
        if expected.equal(possible.scores).all():
            _check_names_of_classes(file, reading, sample, options)
            said = f"proved: all {sample.rows} scores equal {expected.origin}, to the last bit"
            return Proof(record, said, possible.computed_in)
    if options.inexact:
        for possible in fitting:
            ulps = int(ulps_between(expected.values.astype(np.float32), possible.scores).max())
            if ulps <= LINK_ULPS and not (reading.objective.exact and not options.transform):
                said = (
                    f"proved: all {sample.rows} scores equal {expected.origin}, "
                    f"but for {ulps} units in the last place"
                )
                return Proof({**record, "ulps": ulps}, said, possible.computed_in)
    cause = find_cause(Question(reading, expected, options.transform, options.classes), sample.table, others)
    raise BundleError(
        f"{file}: {_difference(fitting[0].scores if fitting else scores, expected)}; {cause or NO_CAUSE}"
    )


def _check_names_of_classes(file: str, reading: Reading, sample: Sample, options: ImportOptions) -> None:
    """Raise BundleError if the names do not fit the target: equal probabilities say nothing of names."""
    if not options.classes or options.unproved or options.target not in sample.table.columns.column_names:
        return
    target = read_target(sample.table, options.target)
    error = None if target is None else measure(reading.objective, reading.scores(), target, options.classes)
    if error and error.no_better:
        raise BundleError(
            f"{file}: the scores equal their author's, but with these names of classes they fit "
            f"{options.target!r} no better than a constant; check the order of --classes, or add --unproved"
        )


NO_CAUSE = (
    "missing values, trees, the order of columns, transforms, links and base margins do not explain it; "
    "check that they are the scores of these rows, by this model"
)


def _difference(scores: NDArray[np.float32], expected: AuthorScores) -> str:
    if expected.labels:
        return f"{expected.origin} has texts where the model gives numbers"
    width, wanted = (array.shape[1] if array.ndim > 1 else 1 for array in (scores, expected.values))
    if width != wanted:
        return f"the model gives {width} scores for each row, but {expected.origin} has {wanted}"
    rows = np.flatnonzero(~expected.equal(scores))
    shown = ", ".join(
        f"row {row + 1}: {_text(scores[row])} here, {_text(expected.values[row].astype(np.float32))} there"
        for row in rows[:SHOWN]
    )
    largest = float(np.abs(scores - expected.values).max())
    return (
        f"{rows.size} of {len(scores)} scores differ from {expected.origin}, by up to {largest:.4g} "
        f"({shown}{', …' if rows.size > SHOWN else ''})"
    )


def _text(scores: Any) -> str:
    return " ".join(map(str, np.atleast_1d(scores)))


def prove_by_target(
    file: str, reading: Reading, sample: Sample, options: ImportOptions, others: Sequence[str]
) -> Proof:
    """Measure the error beside that of a constant; raises BundleError if it shows that scores are wrong."""
    fault = "" if options.unproved else find_fault(reading, sample, options, others)
    if fault:
        raise BundleError(f"{file}: {fault}; --unproved imports it all the same")
    if options.target not in sample.table.columns.column_names:
        return NOT_PROVED
    target = read_target(sample.table, options.target)
    [possible] = [
        one for one in possible_scores(reading, reading.scores(), options.transform, ()) if not one.because
    ][-1:]
    error = None if target is None else measure(reading.objective, possible.scores, target, options.classes)
    if error is None:
        return NOT_PROVED
    record = {"kind": "target", "rows": sample.rows, "model": error.rounded[0], "constant": error.rounded[1]}
    compared = ", ".join(
        f"{name.replace('_', ' ')} {found:.4g} (a constant: {error.constant[name]:.4g})"
        for name, found in error.model.items()
    )
    if error.no_better and not options.unproved:
        raise BundleError(
            f"{file}: on {sample.rows} rows of {sample.table.file} the model is no better than a constant: "
            f"{compared}; compare it with its author's scores (--scores), or add --unproved"
        )
    return Proof(
        record,
        f"not proved by scores, but measured on {sample.rows} rows: {compared}. "
        "Its author's scores would prove it: --scores COLUMN",
    )
