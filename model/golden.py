"""Golden rows: proof that a model scores here as it did where it was published."""

import numpy as np
from numpy.typing import NDArray

from model.errors import GoldenMismatch
from model.manifest import Manifest


def shortest(scores: NDArray[np.float32]) -> list[float]:
    """Write float32 in the fewest digits that read back the same: 260.00012, not 260.0001220703125."""
    return [float(str(score)) for score in scores]


def check_golden(manifest: Manifest, scores: NDArray[np.float32]) -> None:
    """Compare the scores of the golden rows with those recorded, bit for bit."""
    recorded = np.array(manifest.golden.predictions, dtype=np.float32)
    differs = np.flatnonzero(recorded.view(np.uint32) != scores.view(np.uint32))
    if differs.size:
        raise GoldenMismatch(
            f"{manifest.ref}: {differs.size} of {recorded.size} golden rows score otherwise than when it was "
            f"published, the first is row {differs[0]}; "
            f"train it again as a new version, or use xgboost {manifest.xgboost}"
        )
