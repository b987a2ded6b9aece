"""What an engine does for one bundle."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Explained(NamedTuple):
    """What each feature contributes to each row and, last, the base; and the sum of the trees of each row.

    The shapes are (rows, features + 1) and (rows,); with several scores (rows, scores, features + 1) and
    (rows, scores).
    """

    contributions: Floats
    margins: Floats


class Engine(Protocol):
    """Evaluates the trees that one bundle uses. Several threads may call it at once."""

    def score(self, features: Floats, base_margin: Floats | None = None) -> Floats:
        """Return what XGBoost itself gives: (rows,), or (rows, scores of each row)."""

    def explain(self, features: Floats, base_margin: Floats | None = None) -> Explained:
        """Return XGBoost's SHAP values."""
