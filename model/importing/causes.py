"""Why an author's scores differ from the booster's: each way of reading and writing, alone and in pairs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.importing.possible_scores import PossibleScores, label_scores, possible_scores
from model.importing.reading import Change, Reading, changes
from model.importing.scores import EXACTLY, AuthorScores
from model.load_checks import LINK_ULPS, ulps_between
from model.objective import BINARY, SUMS
from model.tables.table import Table

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
FIRST_ROWS = 400
"""Each cause is first tried on this many rows, and on all of them if it explains these."""
MOST_PREFIXES = 2_000
SMALLEST_SPREAD = 100
"""Rounded scores must spread over this many roundings, since otherwise rounding explains too much."""


@dataclass(frozen=True)
class Question:
    """What is compared: the scores of an author, and the reading that does not give them."""

    reading: Reading
    expected: AuthorScores
    transform: str
    classes: Sequence[str]

    def possible_scores(
        self, combination: Sequence[Change] = (), rows: Rows | None = None
    ) -> list[PossibleScores]:
        """Return what the author may have written for these rows, had the booster been read so."""
        reading = self.reading
        for change in combination:
            reading = replace(reading, **change.fields)
        if rows is not None:
            reading = reading.select(rows)
        width = self.expected.values.shape[1:]
        found = possible_scores(reading, reading.scores(), self.transform, self.classes)
        return [one for one in found if one.scores.shape[1:] == width]


class Cause(NamedTuple):
    """How the booster would have been read, and what the author would have written."""

    combination: tuple[Change, ...]
    possible: PossibleScores

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Return what would be so, and what to do about it."""
        changed = [(change.because, change.remedy) for change in self.combination]
        return [*changed, (self.possible.because, self.possible.remedy)]


class Comparison(NamedTuple):
    """A way to compare, and what it means if only this one finds no difference."""

    holds: Callable[[AuthorScores, Floats], bool]
    because: str = ""
    remedy: str = ""


def find_cause(question: Question, table: Table, others: Sequence[str]) -> str:
    """Say what explains every difference, and what to do about it; empty if nothing does."""
    if question.expected.labels:
        scores, objective = question.reading.scores(), question.reading.objective
        label = label_scores(question.expected.labels, objective, scores, question.classes)
        return f"{label.because}; {label.remedy}" if label else ""
    rows = np.unique(np.linspace(0, len(question.reading.matrix) - 1, FIRST_ROWS).astype(int))
    first = question.expected.select(rows)
    causes = list(_possible_causes(question, list(changes(question.reading, table, others)), rows))
    causes.sort(key=lambda cause: len(cause.combination) + bool(cause.possible.because))
    for comparison in _comparisons(question):
        for cause in causes:
            if comparison.holds(first, cause.possible.scores) and _explains(question, cause, comparison):
                return _sentence([*cause.parts, (comparison.because, comparison.remedy)])
    return _fewer_trees(question) or _constant(question) or _scale(question)


def _possible_causes(question: Question, found: Sequence[Change], rows: Rows) -> Iterator[Cause]:
    for size in (0, 1, 2):
        for combination in combinations(found, size):
            if len({change.dimension for change in combination}) == size:
                for possible in question.possible_scores(combination, rows):
                    yield Cause(combination, possible)


def _explains(question: Question, cause: Cause, comparison: Comparison) -> bool:
    """Return whether a cause explains all rows, not only the first."""
    same = [
        possible
        for possible in question.possible_scores(cause.combination)
        if (possible.because, possible.computed_in) == (cause.possible.because, cause.possible.computed_in)
    ]
    return any(comparison.holds(question.expected, possible.scores) for possible in same)


def _sentence(parts: Sequence[tuple[str, str]]) -> str:
    said, remedies = (list(dict.fromkeys(filter(None, texts))) for texts in zip(*parts, strict=True))
    return f"{', and '.join(said)}; {', and '.join(remedies)}"


def _comparisons(question: Question) -> Iterator[Comparison]:
    yield Comparison(lambda expected, scores: bool(expected.equal(scores).all()))
    exact = question.reading.objective.exact and not question.transform
    yield Comparison(
        _in_all_but_the_last_bits,
        f"they differ by at most {LINK_ULPS} units in the last place",
        "compute them with the version of XGBoost that serves, on a CPU"
        if exact
        else "another processor may compute a link or a transform so: --inexact accepts that",
    )
    for number, rounding in enumerate(question.expected.roundings):
        yield Comparison(partial(_rounded, number), f"they are rounded to {rounding.digits}", EXACTLY)


def _in_all_but_the_last_bits(expected: AuthorScores, scores: Floats) -> bool:
    return bool((ulps_between(expected.values.astype(np.float32), scores) <= LINK_ULPS).all())


def _rounded(number: int, expected: AuthorScores, scores: Floats) -> bool:
    tolerance = expected.roundings[number].tolerance
    if np.ptp(expected.values) < SMALLEST_SPREAD * tolerance.min():
        return False
    nearly = tolerance * 1.001 + np.spacing(np.abs(scores))
    return bool((np.abs(expected.values - scores) <= nearly).all())


def _fewer_trees(question: Question) -> str:
    few = np.arange(min(len(question.reading.matrix), 40))
    expected = question.expected.select(few)
    for trees in range(1, min(question.reading.booster.num_boosted_rounds(), MOST_PREFIXES)):
        change = Change(
            "trees", f"the first {trees} rounds are used", f"add --trees {trees}", {"trees": trees}
        )
        possible = question.possible_scores([change], few)[0]
        exactly = Comparison(lambda wanted, scores: bool(wanted.equal(scores).all()))
        if exactly.holds(expected, possible.scores) and _explains(
            question, Cause((change,), possible), exactly
        ):
            return _sentence([(change.because, change.remedy)])
    return ""


def _constant(question: Question) -> str:
    """Recognise a base margin, or another base score: every margin differs by the same number."""
    margins, expected = question.reading.margins(), question.expected.values
    if margins.shape != expected.shape or question.transform:
        return ""
    name = question.reading.objective.name
    with np.errstate(divide="ignore", invalid="ignore"):
        if name in (BINARY, "reg:logistic"):
            expected = np.log(expected / (1 - expected))
        elif name not in SUMS:
            expected = np.log(expected)
    differences = expected - margins
    offset = float(np.median(differences))
    if not np.isfinite(differences).all() or abs(offset) < 1e-6:
        return ""
    if np.abs(differences - offset).max() > 1e-4 * max(abs(offset), float(np.ptp(margins)), 1e-6):
        return ""
    return (
        f"every margin differs by {offset:.6g}, as with a base margin that was given in training; "
        "give it as a column of the sample: --base-margin COLUMN"
    )


def _scale(question: Question) -> str:
    """Recognise a target that was scaled before training: the scores are on a straight line."""
    scores, expected = question.reading.scores(), question.expected.values
    if scores.shape != expected.shape or scores.ndim > 1 or len(np.unique(scores)) < 4:
        return ""
    slope, intercept = np.polyfit(scores.astype(np.float64), expected, 1)
    error = np.abs(slope * scores.astype(np.float64) + intercept - expected).max()
    itself = abs(slope - 1) < 1e-4 and abs(intercept) < 1e-4 * np.ptp(expected)
    if itself or error > 1e-5 * np.ptp(expected):
        return ""
    return (
        f"they are the model's scores times {slope:.6g} plus {intercept:.6g}: the target was scaled before "
        "training; give the scores before they are scaled back, or save the pipeline with paygrade.save"
    )
