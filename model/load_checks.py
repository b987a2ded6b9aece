"""Checks that a loaded model fits its description and reproduces the scores of its golden rows."""

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.booster import Objective
from model.description.errors import BundleError, GoldenMismatch
from model.description.manifest import Manifest

LINK_ULPS = 4
"""How far a link function such as exp may differ between machines, in units in the last place."""


def check_description(manifest: Manifest, booster: xgboost.Booster, objective: Objective) -> None:
    """Raise BundleError if the model does not have the features and outputs that the manifest describes."""
    ref, names = manifest.ref, manifest.schema.tree_features
    if booster.num_features() != len(names):
        raise BundleError(
            f"{ref}: the model has {booster.num_features()} features, but its description has {len(names)}"
        )
    if booster.feature_names is not None and booster.feature_names != names:
        raise BundleError(
            f"{ref}: the model's features have other names than its description, or another order"
        )
    if booster.num_boosted_rounds() < manifest.trees:
        raise BundleError(
            f"{ref}: the model has {booster.num_boosted_rounds()} rounds of trees, "
            f"fewer than the {manifest.trees} that its description uses"
        )
    if objective.name != manifest.objective:
        raise BundleError(f"{ref}: the model's objective is {objective.name}, not {manifest.objective}")
    if objective.quantiles != tuple(manifest.quantiles):
        raise BundleError(
            f"{ref}: the model's quantiles are {list(objective.quantiles)}, not {list(manifest.quantiles)}"
        )
    if manifest.classes and len(manifest.classes) != objective.classes:
        raise BundleError(
            f"{ref}: the model has {objective.classes} classes, "
            f"but its description has {len(manifest.classes)}"
        )
    if manifest.schema.base_margin is not None and (objective.classes > 2 or objective.quantiles):
        raise BundleError(
            f"{ref}: a base margin is one number for each row, and this model would need several"
        )


def check_golden_scores(manifest: Manifest, scores: NDArray[np.float32], exact: bool) -> None:
    """Compare the scores of the golden rows with the published ones, bit for bit if `exact`.

    Otherwise they may differ by LINK_ULPS. Raises GoldenMismatch.
    """
    published = np.array(manifest.golden.predictions, dtype=np.float32)
    if published.shape != scores.shape:
        raise GoldenMismatch(
            f"{manifest.ref}: the scores have the shape {scores.shape}, "
            f"but the golden rows have {published.shape}"
        )
    differs = ulps_between(published, scores) > (0 if exact else LINK_ULPS)
    rows = np.flatnonzero(differs if differs.ndim == 1 else differs.any(axis=1))
    if rows.size:
        raise GoldenMismatch(
            f"{manifest.ref}: {rows.size} of {len(published)} golden rows score differently than when the "
            f"bundle was published, the first is row {rows[0]}; "
            f"train the model again as a new version, or use xgboost {manifest.xgboost}"
        )


def ulps_between(these: NDArray[np.float32], those: NDArray[np.float32]) -> NDArray[np.int64]:
    """Count the steps from one float32 to the next that lie between each two."""
    steps: NDArray[np.int64] = np.abs(_ordinals(these) - _ordinals(those))
    return steps


def _ordinals(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Number all float32 in ascending order, so that neighbours differ by one."""
    bits = scores.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)
