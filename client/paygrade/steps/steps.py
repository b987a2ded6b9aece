"""All steps of a bundle, in the order in which they are replayed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape
from paygrade.steps.errors import StepsError
from paygrade.steps.fields import Fields
from paygrade.steps.kinds import KINDS
from paygrade.steps.step import Step

MOST_STEPS = 20_000
MOST_COLUMNS = 200_000
"""Of all steps together."""


class Steps:
    """Makes the columns of a booster out of the features of its bundle.

    `names` are those of the booster's columns, in its order, and `sources` the positions of the features that
    each is made of.
    """

    def __init__(
        self,
        loaded: Sequence[type[np.floating[Any]]],
        steps: Sequence[tuple[Step, list[int]]],
        outputs: Sequence[int],
        names: Sequence[str],
        missing: float | None,
    ) -> None:
        self._dtypes = loaded
        self._steps = steps
        self._outputs = outputs
        self._missing = missing
        self.names = tuple(names)
        shapes = [shape for step, _ in steps for shape in step.shapes]
        self.sources = tuple(
            (output,) if output < len(loaded) else shapes[output - len(loaded)].sources for output in outputs
        )

    @classmethod
    def from_dict(cls, steps: Mapping[str, Any], features: Sequence[Mapping[str, Any]]) -> "Steps":
        """Read the steps of a bundle with these features; raises StepsError."""
        fields = Fields(steps, "steps")
        shapes = [_feature_shape(feature, position) for position, feature in enumerate(features)]
        loaded = [np.float32 if feature.get("dtype") == "float32" else np.float64 for feature in features]
        read = []
        definitions = fields.list("steps")
        if len(definitions) > MOST_STEPS:
            raise fields.fault("steps", f"must have at most {MOST_STEPS} steps")
        for number, definition in enumerate(definitions):
            step, columns = _read_step(definition, f"step {number}", shapes)
            read.append((step, columns))
            shapes.extend(step.shapes)
            if len(shapes) > MOST_COLUMNS:
                raise StepsError(f"step {number}: all steps together make more than {MOST_COLUMNS} columns")
        outputs = fields.integers("output", 0, len(shapes))
        names = fields.list("names", len(outputs))
        missing = fields.number("missing") if "missing" in fields else None
        fields.end()
        if not outputs or any(shapes[output].texts for output in outputs):
            raise fields.fault("output", "must be columns of numbers, at least one")
        if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
            raise fields.fault("names", "must be texts, each different from the others")
        return cls(loaded, read, outputs, names, missing)

    def transform(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode rows of shape (rows, features); NaN is missing, on both sides.

        A text is its position in the feature's categories, or -1 if it is not in the list. The result has the
        shape (rows, columns of the booster). Raises StepsError for a value that the steps have no place for.
        """
        if raw.ndim != 2 or raw.shape[1] != len(self._dtypes):
            raise StepsError(f"rows must have {len(self._dtypes)} values, not {raw.shape[1:]}")
        with np.errstate(all="ignore"):
            columns = [
                Column(raw[:, position].astype(dtype, copy=False))
                for position, dtype in enumerate(self._dtypes)
            ]
            for step, needed in self._steps:
                columns += step.apply([columns[position] for position in needed])
            return self._assemble(columns, len(raw))

    def _assemble(self, columns: Sequence[Column], rows: int) -> NDArray[np.float32]:
        encoded = np.empty((rows, len(self._outputs)), dtype=np.float32)
        for position, output in enumerate(self._outputs):
            values, absent = columns[output]
            encoded[:, position] = values
            if absent is not None:
                encoded[absent, position] = np.nan
        if self._missing is not None:
            encoded[encoded == np.float32(self._missing)] = np.nan
        return encoded


def _feature_shape(feature: Mapping[str, Any], position: int) -> Shape:
    return Shape((position,), len(feature.get("categories", ())))


def _read_step(definition: object, location: str, shapes: Sequence[Shape]) -> tuple[Step, list[int]]:
    fields = Fields(definition, location)
    kind = fields.choice("kind", KINDS)
    fields.location = f"{location} ({kind.kind})"
    columns = fields.integers("of", 0, len(shapes))
    step = kind.read(fields, [shapes[column] for column in columns])
    fields.end()
    return step, columns
