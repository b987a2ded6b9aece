"""What becomes of the trees' scores: a calibration, or the inverse of what was done to the target."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from paygrade.steps import After, StepsError

from model.description.errors import BundleError

Scores = NDArray[Any]


def _sigmoid(scores: Scores) -> Scores:
    one = scores.dtype.type(1)
    probabilities: Scores = one / (one + np.exp(-scores))
    return probabilities


INVERSES: Mapping[str, Callable[[Scores], Scores]] = {
    "log": np.exp,
    "log1p": np.expm1,
    "sqrt": np.square,
    "logit": _sigmoid,
}
"""The inverse of each transform of the target."""
EXACT = ("sqrt",)
"""The transforms whose inverse has the same bits on every machine."""


class Finish(Protocol):
    """`exact` tells whether every machine gives the same bits."""

    exact: bool

    def apply(self, scores: Scores) -> Scores:
        """Return the scores that callers see; the given ones are float32."""


class TargetInverse:
    """Undoes a transform of the target, computed in this type: that of the notebook's own call.

    `exact` tells whether every machine gives the same bits. In float64 almost every machine rounds to the
    same float32.
    """

    def __init__(self, transform: str, computed_in: str) -> None:
        self.exact = transform in EXACT
        self._inverse = INVERSES[transform]
        self._type = computed_in

    def apply(self, scores: Scores) -> Scores:
        """Return the scores that callers see; the given ones are float32."""
        with np.errstate(over="ignore"):  # an infinite score is refused where it is written
            return self._inverse(scores.astype(self._type)).astype(np.float32)


def finish_of(transform: str, computed_in: str, after: Sequence[Mapping[str, Any]] = ()) -> Finish | None:
    """Make what a bundle needs; None if callers see the trees' scores. Raises BundleError."""
    if transform:
        return TargetInverse(transform, computed_in)
    if not after:
        return None
    try:
        return After.from_list(after)
    except StepsError as error:
        raise BundleError(str(error)) from None
