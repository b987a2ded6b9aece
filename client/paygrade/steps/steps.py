"""All steps of a bundle, in the order in which they are replayed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape, refuse_rows
from paygrade.steps.errors import StepsError
from paygrade.steps.fields import DTYPES, Fields, FloatType
from paygrade.steps.kinds import KINDS
from paygrade.steps.step import Step

MOST_STEPS = 20_000
MOST_COLUMNS = 200_000
"""Of all steps together."""


class Planned(NamedTuple):
    """A step, the columns that it works on, and those of them whose values must be checked first."""

    step: Step
    columns: list[int]
    checked: list[int]


class Steps:
    """Makes the columns of a booster out of the features of its bundle.

    `names` are those of the booster's columns, in its order, and `sources` the positions of the features that
    each is made of.
    """

    def __init__(
        self,
        dtypes: Sequence[FloatType],
        plan: Sequence[Planned],
        outputs: Sequence[tuple[int, str]],
        missing: float | None,
        shapes: Sequence[Shape],
    ) -> None:
        self._dtypes = dtypes
        self._plan = plan
        self._outputs = [output for output, _ in outputs]
        self._missing = missing
        self.names = tuple(name for _, name in outputs)
        self.sources = tuple(shapes[output].sources for output in self._outputs)

    @classmethod
    def from_dict(cls, steps: Mapping[str, Any], features: Sequence[Mapping[str, Any]]) -> "Steps":
        """Read the steps of a bundle with these features; raises StepsError."""
        fields = Fields(steps, "steps")
        shapes = [
            Shape((position,), len(feature.get("categories") or ()))
            for position, feature in enumerate(features)
        ]
        plan = []
        for number, definition in enumerate(fields.items("steps", most=MOST_STEPS)):
            plan.append(_read_step(definition, f"step {number}", shapes))
            shapes += plan[-1].step.shapes
            if len(shapes) > MOST_COLUMNS:
                raise StepsError(f"step {number}: all steps together make more than {MOST_COLUMNS} columns")
        outputs = _read_outputs(fields, shapes)
        missing = fields.number("missing") if "missing" in fields else None
        fields.end()
        dtypes = [DTYPES.get(str(feature.get("dtype")), np.float64) for feature in features]
        return cls(dtypes, plan, outputs, missing, shapes)

    def transform(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode rows of shape (rows, features); NaN is missing, on both sides.

        A text is its position in the feature's categories, or -1 if it is not in the list. The result has the
        shape (rows, columns of the booster). Raises StepsError, which names the rows whose values have no
        place in the steps.
        """
        if raw.ndim != 2 or raw.shape[1] != len(self._dtypes):
            raise StepsError(f"rows must have {len(self._dtypes)} values, and the shape is {raw.shape}")
        with np.errstate(all="ignore"):
            columns = [Column(raw[:, position].astype(dtype)) for position, dtype in enumerate(self._dtypes)]
            for step, needed, checked in self._plan:
                for position in checked:
                    refuse_rows(np.isinf(columns[position].values), "a calculated value is too large")
                columns += step.apply([columns[position] for position in needed])
            return self._assemble(columns, len(raw))

    def mixed(self, features: Sequence[str]) -> str:
        """Say which column is made of several features, which are then not told apart; empty if none is."""
        for name, sources in zip(self.names, self.sources, strict=True):
            if len(sources) > 1:
                return f"the column {name} mixes {' and '.join(features[source] for source in sources)}"
        return ""

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


def _read_step(definition: object, location: str, shapes: Sequence[Shape]) -> Planned:
    fields = Fields(definition, location)
    kind = fields.choice("kind", KINDS)
    fields.location = f"{location} ({kind.kind})"
    columns = fields.integers("of", 0, len(shapes))
    step = kind.read(fields, [shapes[column] for column in columns])
    fields.end()
    checked = [] if kind.takes_infinity else [column for column in columns if shapes[column].calculated]
    return Planned(step, columns, checked)


def _read_outputs(fields: Fields, shapes: Sequence[Shape]) -> list[tuple[int, str]]:
    """Return the booster's columns in its order, with their names."""
    outputs = fields.integers("output", 0, len(shapes))
    names = fields.items("names", len(outputs))
    if not outputs or any(shapes[output].texts for output in outputs):
        raise fields.fault("output", "must be columns of numbers, at least one")
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise fields.fault("names", "must be texts, each different from the others")
    return list(zip(outputs, names, strict=True))
