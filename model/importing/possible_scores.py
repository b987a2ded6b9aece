"""What the author may have done with a booster's scores before writing them down."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.description.checks import SCORE_TYPES
from model.finishing import INVERSES, TargetInverse
from model.importing.reading import Reading
from model.objective import BINARY, HINGE, SUMS, Objective

Floats = NDArray[np.float32]


class PossibleScores(NamedTuple):
    """Scores as the author may have written them; `because` is empty where nothing was done.

    `computed_in` is the type in which the inverse of a transform is computed.
    """

    because: str
    remedy: str
    scores: Floats
    computed_in: str = SCORE_TYPES[1]


def possible_scores(
    reading: Reading, scores: Floats, transform: str, classes: Sequence[str]
) -> Iterator[PossibleScores]:
    """Yield the scores as they are, and then each thing that could have been done to them."""
    for computed_in in SCORE_TYPES if transform else SCORE_TYPES[1:]:
        yield PossibleScores("", "", _inverse(transform, computed_in, scores), computed_in)
    if transform:
        yield PossibleScores("the target was not transformed", "leave out --transform", scores)
    if reading.objective.quantiles:
        median = scores[:, reading.objective.median]
        yield PossibleScores(
            "they are the median alone", "give the scores of all quantiles, one column each", median
        )
    elif reading.objective.classes or reading.objective.name == BINARY:
        yield from _of_classes(reading.objective, scores, classes)
    else:
        yield from _of_transforms(scores, transform)
    if reading.objective.booster == "dart" and not transform:
        because = (
            "they are those of scikit-learn's interface, which adds up the trees of DART in another order"
        )
        remedy = "give what Booster.predict returns, which is served"
        yield PossibleScores(because, remedy, reading.scores_in_place())
    if reading.objective.name not in set(SUMS) - {HINGE} and not reading.objective.quantiles:
        because = "they are margins (output_margin=True)"
        yield PossibleScores(because, "give what predict or predict_proba returns", reading.margins())


def label_scores(
    labels: Sequence[str], objective: Objective, scores: Floats, classes: Sequence[str]
) -> PossibleScores | None:
    """Return the cause if texts are the names of the predicted classes; None if they are not."""
    numbers = _numbers(objective, scores)
    names = classes or sorted(set(labels))
    if numbers is None or len(names) <= int(numbers.max()):
        return None
    if [names[number] for number in numbers.tolist()] != list(labels):
        return None
    return PossibleScores("they are the names of the predicted classes", _probabilities(objective), scores)


def _of_transforms(scores: Floats, used: str) -> Iterator[PossibleScores]:
    for transform in INVERSES:
        if transform == used:
            continue
        for computed_in in SCORE_TYPES:
            named = {"logit": "logit (a sigmoid is applied to the model's sum)"}.get(transform, transform)
            yield PossibleScores(
                f"the target was transformed with {named}",
                f"add --transform {transform}",
                _inverse(transform, computed_in, scores),
            )


def _of_classes(objective: Objective, scores: Floats, classes: Sequence[str]) -> Iterator[PossibleScores]:
    remedy, numbers = _probabilities(objective), _numbers(objective, scores)
    if objective.name == BINARY:
        yield PossibleScores("they are the probabilities of the other class", remedy, np.float32(1) - scores)
        pair = np.column_stack([np.float32(1) - scores, scores])
        yield PossibleScores("", "", pair)
        yield PossibleScores(
            "they are the probabilities of both classes, in the other order", remedy, pair[:, ::-1]
        )
    else:
        for number in range(scores.shape[1] if scores.ndim > 1 else 0):
            because = f"they are the probabilities of class {number} alone"
            yield PossibleScores(because, remedy, scores[:, number])
    if numbers is not None:
        yield PossibleScores(
            "they are the numbers of the predicted classes", remedy, numbers.astype(np.float32)
        )


def _numbers(objective: Objective, scores: Floats) -> NDArray[np.int64] | None:
    if objective.name == BINARY:
        return (scores > 0.5).astype(np.int64)
    return scores.argmax(axis=1) if scores.ndim > 1 and objective.classes else None


def _probabilities(objective: Objective) -> str:
    columns = "[:, 1]" if objective.classes == 2 else ", one column for each class or target"
    return f"give the probabilities: predict_proba(X){columns}"


def _inverse(transform: str, computed_in: str, scores: Floats) -> Floats:
    if not transform:
        return scores
    inverse: Floats = TargetInverse(transform, computed_in).apply(scores)
    return inverse
