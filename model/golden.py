"""Golden rows: proof that a model scores here as it did where it was published."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.description.errors import GoldenMismatch
from model.description.manifest import Manifest

LINK_ULPS = 4
"""What exp may differ by, from one machine to another, in units of the last place."""


def shortest(scores: NDArray[np.float32]) -> list[Any]:
    """Write float32 in the fewest digits that read back the same: 260.00012, not 260.0001220703125."""
    if scores.ndim > 1:
        return [shortest(row) for row in scores]
    return [float(str(score)) for score in scores]


def check_golden(manifest: Manifest, scores: NDArray[np.float32], exact: bool) -> None:
    """Compare the scores of the golden rows with those recorded, bit for bit or all but."""
    recorded = np.array(manifest.golden.predictions, dtype=np.float32)
    if recorded.shape != scores.shape:
        raise GoldenMismatch(f"{manifest.ref}: gives another kind of scores than its golden rows have")
    apart = np.abs(_places(recorded) - _places(scores)) > (0 if exact else LINK_ULPS)
    differs = np.flatnonzero(apart if apart.ndim == 1 else apart.any(axis=1))
    if differs.size:
        raise GoldenMismatch(
            f"{manifest.ref}: {differs.size} of {len(recorded)} golden rows score otherwise than when it was "
            f"published, the first is row {differs[0]}; "
            f"train it again as a new version, or use xgboost {manifest.xgboost}"
        )


def _places(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Where each stands among all float32 in their order."""
    bits = scores.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)
