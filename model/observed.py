"""Values that training never saw: they are scored, and warned of."""

import numpy as np
from numpy.typing import NDArray

from model.schema import Schema


class Observed:
    """The range of each feature in the training data, where the bundle knows it."""

    def __init__(self, schema: Schema) -> None:
        ranges = [feature.observed or {} for feature in schema.features]
        self._names = schema.names
        self._lowest = np.array([seen.get("minimum", -np.inf) for seen in ranges], dtype=np.float32)
        self._highest = np.array([seen.get("maximum", np.inf) for seen in ranges], dtype=np.float32)

    def warnings(self, matrix: NDArray[np.float32]) -> dict[int, list[str]]:
        """What to say of each row that has such a value, by the number of the row."""
        found: dict[int, list[str]] = {}
        below, above = matrix < self._lowest, matrix > self._highest
        if below.any() or above.any():
            for place, side in ((below, "below"), (above, "above")):
                for row, column in np.argwhere(place).tolist():
                    found.setdefault(row, []).append(self._sentence(column, side))
        return found

    def _sentence(self, column: int, side: str) -> str:
        lowest, highest = self._lowest[column], self._highest[column]
        return f"{self._names[column]} is {side} what training saw ({lowest:g} to {highest:g})"
