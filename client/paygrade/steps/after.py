"""What is done to a booster's scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.calibration import Calibration
from paygrade.steps.column import Column, Shape
from paygrade.steps.errors import StepsError
from paygrade.steps.fields import Fields
from paygrade.steps.function import Clip, Function
from paygrade.steps.power import Power
from paygrade.steps.quantile import InverseNormalQuantile, InverseQuantile
from paygrade.steps.scale import Scale
from paygrade.steps.step import Step

KINDS: Mapping[str, type[Step] | type[Calibration]] = {
    **{kind.kind: kind for kind in (Clip, Function, InverseNormalQuantile, InverseQuantile, Power, Scale)},
    "calibration": Calibration,
}
MOST = 100


class After:
    """Turns a booster's scores into those that the model's author saw.

    They are converted back from a transformed target, or calibrated. `exact` is False where the last bits may
    differ on another processor.
    """

    def __init__(self, parts: Sequence[Step | Calibration]) -> None:
        self._parts = parts
        self.exact = all(part.exact for part in parts)

    @classmethod
    def from_list(cls, after: Sequence[Mapping[str, Any]]) -> "After":
        """Read what a bundle does to its scores; raises StepsError."""
        if len(after) > MOST:
            raise StepsError(f"after must have at most {MOST} parts")
        return cls([_read_part(definition, f"after {number}") for number, definition in enumerate(after)])

    def apply(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Return the scores that the author saw: (rows,), or (rows, classes). Raises StepsError."""
        with np.errstate(all="ignore"):
            for part in self._parts:
                scores = part.apply(scores) if isinstance(part, Calibration) else _apply_step(part, scores)
        return scores


def _read_part(definition: object, location: str) -> Step | Calibration:
    fields = Fields(definition, location)
    kind = fields.choice("kind", KINDS)
    part = kind.read(fields) if issubclass(kind, Calibration) else kind.read(fields, [Shape(())])
    fields.end()
    return part


def _apply_step(step: Step, scores: NDArray[Any]) -> NDArray[Any]:
    if scores.ndim != 1:
        raise StepsError("the target of a model with several scores for each row cannot be converted back")
    return step.apply([Column(scores)])[0].values
