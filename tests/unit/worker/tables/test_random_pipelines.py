"""Random pipelines score as in scikit-learn, to the last bit: posted rows, CSV and Parquet alike."""

import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson
import pandas as pd
import paygrade
import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from jobs.files.tables import Format
from model.bundle import Bundle
from model.description.features import Feature
from model.description.manifest import Manifest
from tests.pipelines import rows_of
from tests.unit.client.saving.pipelines import ROWS, frame, pipelines
from tests.unit.worker.tables.conftest import Scored, read
from worker.bundles import scorer

ScoreBundle = Callable[..., Scored]
UNSURE = "differ between processors"
UNHURRIED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    # A smaller pipeline that fails is hours away, and says no more than this one.
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}


@pytest.mark.timeout(20 * 60)
@settings(max_examples=60, **UNHURRIED)
@given(data=st.data(), seed=st.integers(0, 2**31))
def test_a_random_pipeline_is_served_with_the_same_bits(
    score_bundle: ScoreBundle, data: st.DataObject, seed: int
) -> None:
    _check(score_bundle, data, seed)


@pytest.mark.slow
@pytest.mark.timeout(5 * 60 * 60)
@settings(max_examples=1000, **UNHURRIED)
@given(data=st.data(), seed=st.integers(0, 2**31))
def test_a_thousand_random_pipelines_are_served_with_the_same_bits(
    score_bundle: ScoreBundle, data: st.DataObject, seed: int
) -> None:
    _check(score_bundle, data, seed)


def _check(score_bundle: ScoreBundle, data: st.DataObject, seed: int) -> None:
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
        bundle = Bundle.load(Manifest.read(Path(folder) / "bundle"))
        rows = _valid(frame(seed + 1, ROWS, missing=0.2, unseen=0.1), table, bundle.manifest.schema.features)
        expected = _scores_of(model, rows)
    assert bundle.manifest.scores == expected.dtype
    posted = rows_of(rows[list(bundle.manifest.schema.names)])
    outputs = [orjson.loads(text) for text in scorer(bundle)(bundle.manifest.schema.check_rows(posted))]
    assert np.array_equal(_given(outputs, expected), expected)
    for kind, file in ((Format.CSV, rows.to_csv(index=False).encode()), (Format.PARQUET, _parquet(rows))):
        scored = score_bundle(bundle, file, kind)
        assert scored.errors == []
        assert np.array_equal(_given(read(scored.result, kind), expected), expected)


def _valid(rows: pd.DataFrame, table: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """Replace what the bundle refuses by a value that the table has."""
    for feature in features:
        name, present = feature.name, table[feature.name].dropna()
        if not feature.nullable:
            rows[name] = rows[name].fillna(present.iloc[-1])
        if feature.type == "category" and feature.unseen == "fault":
            known = rows[name].astype(str).isin(feature.categories) | rows[name].isna()
            rows.loc[~known, name] = present.iloc[-1]
    return rows.astype({name: kind for name, kind in table.dtypes.items() if kind != "str"})


def _scores_of(model: Any, rows: pd.DataFrame) -> Any:
    """What the notebook gives."""
    if not hasattr(model, "predict_proba"):
        return np.asarray(model.predict(rows))
    scores = np.asarray(model.predict_proba(rows))
    return scores[:, 1] if scores.shape[1] == 2 else scores


def _given(outputs: Sequence[dict[str, Any]], expected: Any) -> Any:
    """The scores of rows, as JSON has them or as a file does."""
    return np.array([_score(output) for output in outputs], dtype=expected.dtype).reshape(expected.shape)


def _score(output: dict[str, Any]) -> list[Any]:
    if "probabilities" in output:
        return list(output["probabilities"].values())
    found = [value for name, value in output.items() if name.startswith("probability")]
    return found or [output["prediction"]]


def _parquet(rows: pd.DataFrame) -> bytes:
    written = BytesIO()
    rows.to_parquet(written)
    return written.getvalue()
