"""Random pipelines score as scikit-learn has it, to the last bit, out of the files alone."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import paygrade
import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.client.saving.bundles import SavedBundle, rows_of
from tests.unit.client.saving.pipelines import ROWS, frame, pipelines

UNSURE = "differ between processors"
UNHURRIED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    # A smaller pipeline that fails is hours away, and says no more than this one.
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}


@pytest.mark.timeout(15 * 60)  # 20 s where nothing else runs
@settings(max_examples=60, **UNHURRIED)
@given(data=st.data(), seed=st.integers(0, 2**31))
def test_a_random_pipeline_scores_the_same_bits(data: st.DataObject, seed: int) -> None:
    _check_pipeline(data, seed)


@pytest.mark.slow
@pytest.mark.timeout(3 * 60 * 60)
@settings(max_examples=1000, **UNHURRIED)
@given(data=st.data(), seed=st.integers(0, 2**31))
def test_a_thousand_random_pipelines_score_the_same_bits(data: st.DataObject, seed: int) -> None:
    _check_pipeline(data, seed)


def _check_pipeline(data: st.DataObject, seed: int) -> None:
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        try:
            model, table = data.draw(pipelines(seed))
        except ValueError:  # scikit-learn's own: it cannot be fitted
            assume(False)
        try:
            paygrade.save(model, Path(folder) / "bundle", name="any", sample=table, target="size")
        except paygrade.SaveRefused as refused:
            if UNSURE not in str(refused):
                raise
            event("refused")
            return
        bundle = SavedBundle(Path(folder) / "bundle")
        rows = _allowed(frame(seed + 1, ROWS, missing=0.2, unseen=0.1), table, bundle)
        expected = author(model, rows)
        scores = bundle.score(rows_of(rows, [one["name"] for one in bundle.features]))
    assert scores.dtype == expected.dtype
    assert np.array_equal(scores, expected)


def author(model: Any, rows: pd.DataFrame) -> NDArray[Any]:
    if not hasattr(model, "predict_proba"):
        return np.asarray(model.predict(rows))
    scores = np.asarray(model.predict_proba(rows))
    return scores[:, 1] if scores.shape[1] == 2 else scores


def _allowed(rows: pd.DataFrame, table: pd.DataFrame, bundle: SavedBundle) -> pd.DataFrame:
    """Replace what the bundle refuses by a value that the table has."""
    for feature in bundle.features:
        name = feature["name"]
        present = table[name].dropna()
        if not feature.get("nullable"):
            rows[name] = rows[name].fillna(present.iloc[0])
        if feature["type"] == "category" and feature.get("unseen") != "unknown":
            known = rows[name].isin(present) | rows[name].isna()
            rows.loc[~known, name] = present.iloc[0]
    return rows.astype({name: kind for name, kind in table.dtypes.items() if kind != "str"})
