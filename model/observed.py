"""Values that training never saw: they are scored, and warned of."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from model.description.schema import Schema


class Observed:
    """The range of each feature in the training data, where the bundle knows it."""

    def __init__(self, schema: Schema) -> None:
        ranges = [feature.observed or {} for feature in schema.features]
        self._lowest = np.array([seen.get("minimum", -np.inf) for seen in ranges], dtype=np.float32)
        self._highest = np.array([seen.get("maximum", np.inf) for seen in ranges], dtype=np.float32)
        self._sentences = [
            f"{name} is {side} what training saw ({lowest:g} to {highest:g})"
            for side in ("below", "above")
            for name, lowest, highest in zip(schema.names, self._lowest, self._highest, strict=True)
        ]

    def outside(self, matrix: NDArray[np.float32]) -> NDArray[np.bool_] | None:
        """(rows, twice the features): which values are below, then which are above it; None if none is."""
        below, above = matrix < self._lowest, matrix > self._highest
        return np.hstack([below, above]) if below.any() or above.any() else None

    def say(self, places: Iterable[int]) -> list[str]:
        """What to say of a row that is outside at these places."""
        return [self._sentences[place] for place in places]

    def warnings(self, matrix: NDArray[np.float32]) -> dict[int, list[str]]:
        """What to say of each row that has such a value, by the number of the row."""
        outside = self.outside(matrix)
        if outside is None:
            return {}
        rows = np.flatnonzero(outside.any(axis=1)).tolist()
        return {row: self.say(np.flatnonzero(outside[row])) for row in rows}
