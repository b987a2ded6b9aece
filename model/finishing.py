"""What becomes of the trees' scores: a calibration, or the inverse of what was done to the target."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from paygrade.steps import After, StepsError

from model.description.errors import BundleError

INVERSES = {"log": np.exp, "log1p": np.expm1}
"""The inverse of each transform of the target."""


class Finish(Protocol):
    """`exact` tells whether every machine gives the same bits."""

    exact: bool

    def apply(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Return the scores that callers see; the given ones are float32."""


class TargetInverse:
    """Undoes a transform of the target."""

    exact = False

    def __init__(self, transform: str) -> None:
        self._inverse = INVERSES[transform]

    def apply(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Compute in double precision, so that almost every machine rounds to the same float32."""
        return self._inverse(scores.astype(np.float64)).astype(np.float32)


def finish_of(transform: str = "", after: Sequence[Mapping[str, Any]] = ()) -> Finish | None:
    """Make what a bundle needs; None if callers see the trees' scores. Raises BundleError."""
    if transform:
        return TargetInverse(transform)
    if not after:
        return None
    try:
        return After.from_list(after)
    except StepsError as error:
        raise BundleError(f"after: {error}") from None
