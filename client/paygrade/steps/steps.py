"""All steps of a bundle, in the order in which they are replayed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape, refuse_rows
from paygrade.steps.errors import StepsError
from paygrade.steps.fields import DTYPES, Fields, FloatType
from paygrade.steps.kinds import KINDS
from paygrade.steps.plan import Planned, Scattered, find_scattered

NOT_MADE = Column(np.empty(0))
MOST_STEPS = 20_000
MOST_COLUMNS = 200_000
"""The most columns of all steps together."""


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
    ) -> None:
        shapes = [Shape((position,)) for position in range(len(dtypes))]
        shapes += [shape for planned in plan for shape in planned.step.shapes]
        self.names = tuple(name for _, name in outputs)
        self.sources = tuple(shapes[output].sources for output, _ in outputs)
        self._dtypes = dtypes
        self._missing = missing
        self._plan, self._copied = find_scattered(plan, [output for output, _ in outputs], len(dtypes))
        self._background = np.array(
            [np.nan if shapes[output].sparse else 0 for output, _ in outputs], dtype=np.float32
        )

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
        return cls(dtypes, plan, outputs, missing)

    def transform(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode rows of shape (rows, features); NaN is missing, on both sides.

        A text is its position in the feature's categories, or -1 if it is not in the list. The result has the
        shape (rows, columns of the booster). Raises StepsError, which names the rows whose values have no
        place in the steps.
        """
        if raw.ndim != 2 or raw.shape[1] != len(self._dtypes):
            raise StepsError(f"rows must have {len(self._dtypes)} values, and the shape is {raw.shape}")
        encoded = np.empty((len(raw), len(self.names)), dtype=np.float32)
        encoded[:] = self._background
        with np.errstate(all="ignore"):
            columns = [Column(raw[:, position].astype(dtype)) for position, dtype in enumerate(self._dtypes)]
            for planned in self._plan:
                if isinstance(planned, Scattered):
                    planned.write(columns, encoded)
                    columns += [NOT_MADE] * len(planned.step.shapes)
                    continue
                for position in planned.checked:
                    refuse_rows(np.isinf(columns[position].values), "a calculated value is too large")
                columns += planned.step.apply([columns[position] for position in planned.columns])
            self._copy(columns, encoded)
        return encoded

    def mixed(self, features: Sequence[str]) -> str:
        """Say which column is made of several features, which are then not told apart; empty if none is."""
        for name, sources in zip(self.names, self.sources, strict=True):
            if len(sources) > 1:
                return f"the column {name} mixes {' and '.join(features[source] for source in sources)}"
        return ""

    def _copy(self, columns: Sequence[Column], encoded: NDArray[np.float32]) -> None:
        for position, output in self._copied:
            values, absent = columns[output]
            encoded[:, position] = values
            if absent is not None:
                encoded[absent, position] = np.nan
        if self._missing is not None:
            encoded[encoded == np.float32(self._missing)] = np.nan


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
