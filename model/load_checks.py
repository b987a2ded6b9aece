"""Checks that a loaded model fits its description and reproduces the scores of its golden rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.description.errors import BundleError, GoldenMismatch
from model.description.manifest import Manifest
from model.engines.xgboost import Booster
from model.objective import Objective
from model.preparation import Preparation

LINK_ULPS = 4
"""How far a link function such as exp may differ between machines, in units in the last place."""


def check_description(
    manifest: Manifest, booster: Booster, objective: Objective, preparation: Preparation
) -> None:
    """Raise BundleError if the model does not have the features and outputs that the manifest describes."""
    ref, names = manifest.ref, list(preparation.names)
    if booster.features != len(names):
        raise BundleError(
            f"{ref}: the model has {booster.features} features, but its description has {len(names)}"
        )
    if booster.feature_names and booster.feature_names != names:
        raise BundleError(
            f"{ref}: the model's features have other names than its description, or another order"
        )
    if booster.rounds < manifest.trees:
        raise BundleError(
            f"{ref}: the model has {booster.rounds} rounds of trees, "
            f"fewer than the {manifest.trees} that its description uses"
        )
    _check_outputs(manifest, objective)
    if manifest.explained and preparation.mixed:
        raise BundleError(
            f"{ref}: {preparation.mixed}, so the model cannot be explained; "
            "its description must say explained: false"
        )


def _check_outputs(manifest: Manifest, objective: Objective) -> None:
    """Raise BundleError if the model does not predict what the manifest describes."""
    ref = manifest.ref
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
    if (len(manifest.targets) or 1) != objective.targets:
        raise BundleError(
            f"{ref}: the model predicts {objective.targets} targets, "
            f"but its description names {len(manifest.targets)}"
        )
    if manifest.schema.base_margin is not None and objective.width > 1:
        raise BundleError(
            f"{ref}: a base margin is one number for each row, and this model would need several"
        )


def check_golden_scores(
    manifest: Manifest, scores: NDArray[Any], exact_link: bool, exact_finish: bool
) -> None:
    """Compare the scores of the golden rows with the published ones, bit for bit if both are exact.

    Otherwise they may differ by LINK_ULPS: in float32 if it is XGBoost's own link that is not exact, since
    XGBoost computes in float32, else in the type of the scores. Raises GoldenMismatch.
    """
    if scores.dtype != manifest.scores:
        raise GoldenMismatch(
            f"{manifest.ref}: the scores are {scores.dtype}, but its description says {manifest.scores}"
        )
    published = np.array(manifest.golden.predictions, dtype=scores.dtype)
    if published.shape != scores.shape:
        raise GoldenMismatch(
            f"{manifest.ref}: the scores have the shape {scores.shape}, "
            f"but the golden rows have {published.shape}"
        )
    if exact_link and exact_finish:
        differs = published != scores
    else:
        compared = scores.dtype if exact_link else np.float32
        differs = ulps_between(published.astype(compared), scores.astype(compared)) > LINK_ULPS
    rows = np.flatnonzero(differs if differs.ndim == 1 else differs.any(axis=1))
    if rows.size:
        raise GoldenMismatch(
            f"{manifest.ref}: {rows.size} of {len(published)} golden rows score differently than when the "
            f"bundle was published, the first is row {rows[0]}; "
            f"train the model again as a new version, or use xgboost {manifest.xgboost}"
        )


def ulps_between(these: NDArray[Any], those: NDArray[Any]) -> NDArray[np.uint64]:
    """Count the steps from one number to the next that lie between each two."""
    ordinals = [_ordinals(these), _ordinals(those)]
    low, high = np.minimum(*ordinals), np.maximum(*ordinals)
    return high.view(np.uint64) - low.view(np.uint64)


def _ordinals(scores: NDArray[Any]) -> NDArray[np.int64]:
    """Number all floats of a type in ascending order, so that neighbours differ by one."""
    size = scores.dtype.itemsize
    bits = scores.view(f"i{size}").astype(np.int64)
    return np.where(bits < 0, -(2 ** (8 * size - 1)) - bits, bits)
