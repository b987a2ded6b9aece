"""Random pipelines of the list, fitted on a random table, with random rows to score."""

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.feature_selection import SelectPercentile, VarianceThreshold, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from xgboost import XGBClassifier, XGBRegressor, XGBRFRegressor

ROWS = 2_000
CITIES = ["Köln", "Bonn", "Aachen", "Düren", "Jülich", "Eupen", "é", "b,c", " "]
TEXT, WHOLE, REAL, SINGLE = ["city", "grade"], ["code", "month"], ["x", "p"], ["z"]
Draw = Any


def frame(seed: int, rows: int = ROWS, missing: float = 0.1, unseen: float = 0.0) -> pd.DataFrame:
    """A table with texts, whole numbers, truth values, and numbers of both precisions."""
    random = np.random.default_rng(seed)
    weights = np.arange(len(CITIES), 0, -1.0) ** 2
    table = pd.DataFrame(
        {
            "city": random.choice(np.array(CITIES, dtype=object), rows, p=weights / weights.sum()),
            "grade": random.choice(np.array(["low", "mid", "high"], dtype=object), rows),
            "code": random.integers(0, 30, rows),
            "month": random.integers(1, 13, rows),
            "flag": random.random(rows) < 0.4,
            "x": random.normal(0, 10, rows).round(random.integers(0, 6)),
            "p": random.exponential(100, rows),
            "z": random.normal(5, 3, rows).astype(np.float32),
        }
    )
    for name in ("city", "grade", "x", "p", "z"):
        table.loc[random.random(rows) < missing, name] = np.nan
    table.loc[random.random(rows) < unseen, "city"] = "Namur"
    table.loc[random.random(rows) < unseen, "code"] = 77
    return table


def target(table: pd.DataFrame, seed: int) -> pd.Series:
    random = np.random.default_rng(seed)
    size = table["p"].fillna(50) / 30 + table["z"].fillna(0) + table["month"] + (table["city"] == "Bonn") * 4
    return np.abs(size + table["x"].fillna(0) / 7 + random.normal(size=len(table))) + 0.1


@st.composite
def one_hot_encoders(draw: Draw) -> Any:
    unknown = draw(st.sampled_from(["ignore", "infrequent_if_exist", "warn"]))
    return OneHotEncoder(
        handle_unknown=unknown,
        drop=draw(st.sampled_from([None, "first", "if_binary"])),
        min_frequency=draw(st.sampled_from([None, 3, 0.05])),
        max_categories=draw(st.sampled_from([None, 3, 5])),
        sparse_output=draw(st.booleans()),
        dtype=draw(st.sampled_from([np.float64, np.float32, np.int8])),
    )


@st.composite
def ordinal_encoders(draw: Draw) -> Any:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=draw(st.sampled_from([-1, np.nan, 99])),
        encoded_missing_value=draw(st.sampled_from([np.nan, -2, 50])),
        max_categories=draw(st.sampled_from([None, 4])),
        dtype=draw(st.sampled_from([np.float64, np.float32])),
    )


ENCODERS = st.one_of(
    one_hot_encoders(),
    ordinal_encoders(),
    st.builds(TargetEncoder, smooth=st.sampled_from(["auto", 3.0]), random_state=st.just(0)),
)
TEXT_IMPUTERS = st.builds(
    SimpleImputer,
    strategy=st.just("constant"),
    fill_value=st.sampled_from(["none", "Bonn", "low"]),
) | st.builds(SimpleImputer, strategy=st.just("most_frequent"), add_indicator=st.booleans())
NUMBER_IMPUTERS = st.builds(
    SimpleImputer,
    strategy=st.sampled_from(["mean", "median", "most_frequent"]),
    add_indicator=st.booleans(),
) | st.builds(SimpleImputer, strategy=st.just("constant"), fill_value=st.just(-1))
SCALERS = st.one_of(
    st.builds(StandardScaler, with_mean=st.booleans(), with_std=st.booleans()),
    st.builds(MinMaxScaler, feature_range=st.sampled_from([(0, 1), (-3, 7)]), clip=st.booleans()),
    st.builds(RobustScaler, with_centering=st.booleans(), unit_variance=st.booleans()),
    st.builds(MaxAbsScaler),
)
EXACT_FUNCTIONS = st.sampled_from(
    [
        FunctionTransformer(np.abs),
        FunctionTransformer(np.square),
        FunctionTransformer(np.clip, kw_args={"a_min": -3, "a_max": 8.5}),
        FunctionTransformer(),
    ]
)
COMPARING = st.one_of(
    st.builds(Binarizer, threshold=st.sampled_from([0.0, 1.5, 0.1])),
    st.builds(
        KBinsDiscretizer,
        n_bins=st.sampled_from([3, 7]),
        encode=st.sampled_from(["ordinal", "onehot", "onehot-dense"]),
        strategy=st.sampled_from(["uniform", "quantile"]),
        quantile_method=st.just("averaged_inverted_cdf"),
    ),
)
BENDING = st.sampled_from(
    [
        FunctionTransformer(np.log1p),
        FunctionTransformer(np.sqrt),
        PowerTransformer(method="yeo-johnson"),
        PowerTransformer(method="box-cox", standardize=False),
    ]
)


@st.composite
def text_parts(draw: Draw) -> Any:
    parts = [draw(TEXT_IMPUTERS)] if draw(st.booleans()) else []
    if parts and parts[0].add_indicator:
        return Pipeline([("impute", parts[0]), ("encode", draw(one_hot_encoders()))])
    return pipeline_of([*parts, draw(ENCODERS)])


@st.composite
def number_parts(draw: Draw) -> Any:
    parts = [draw(EXACT_FUNCTIONS)] if draw(st.booleans()) else []
    if draw(st.booleans()):
        parts.append(draw(NUMBER_IMPUTERS))
        parts += draw(st.lists(SCALERS | EXACT_FUNCTIONS | QUANTILES, max_size=2))
        parts += draw(st.lists(COMPARING | PRODUCTS, max_size=1))
    else:
        parts += draw(st.lists(SCALERS | EXACT_FUNCTIONS | QUANTILES, max_size=2))
    return pipeline_of(parts)


QUANTILES = st.builds(
    QuantileTransformer,
    n_quantiles=st.sampled_from([10, 100]),
    output_distribution=st.sampled_from(["uniform", "uniform", "normal"]),
    random_state=st.just(0),
)
PRODUCTS = st.builds(
    PolynomialFeatures,
    degree=st.sampled_from([2, 3, (2, 3)]),
    interaction_only=st.booleans(),
    include_bias=st.booleans(),
)


def pipeline_of(parts: list[Any]) -> Any:
    if not parts:
        return "passthrough"
    return Pipeline([(f"part{number}", part) for number, part in enumerate(parts)])


@st.composite
def preparations(draw: Draw) -> Any:
    """A ColumnTransformer, and what may follow it."""
    parts = [("text", draw(text_parts()), TEXT)]
    if draw(st.booleans()):
        parts.append(("whole", draw(ENCODERS), WHOLE[: draw(st.integers(1, 2))]))
    if draw(st.booleans()):
        parts.append(("real", draw(number_parts()), REAL))
    if draw(st.booleans()):
        parts.append(("single", draw(number_parts()), SINGLE))
    if draw(st.booleans()):
        parts.append(("bent", draw(BENDING), ["p"]))
    if draw(st.booleans()):
        union = FeatureUnion([("one", draw(SCALERS)), ("two", draw(QUANTILES))])
        parts.append(("union", union, ["x", "z"]))
    remainder = draw(st.sampled_from(["drop", "passthrough"]))
    threshold = draw(st.sampled_from([0.0, 0.3, 1.0]))
    weights = draw(st.sampled_from([None, None, {"real": 0.3, "union": 2.5}]))
    columns = ColumnTransformer(
        parts, remainder=remainder, sparse_threshold=threshold, transformer_weights=weights
    )
    after = draw(st.sampled_from(["", "", "variance", "maximum", "scale", "best"]))
    follow = {
        "variance": VarianceThreshold(),
        "maximum": MaxAbsScaler(),
        "scale": StandardScaler(with_mean=False),
        "best": Pipeline(
            [("fill", SimpleImputer()), ("best", SelectPercentile(f_regression, percentile=60))]
        ),
    }
    if after == "best":
        columns.sparse_threshold = 0.0
    return [("prepare", columns)] + ([("after", follow[after])] if after else [])


@st.composite
def pipelines(draw: Draw, seed: int) -> tuple[Any, pd.DataFrame]:
    """A fitted pipeline, and the table that it was fitted on."""
    table = frame(seed)
    size = target(table, seed)
    steps = draw(preparations())
    options = {"n_estimators": 15, "max_depth": 4, "n_jobs": 1}
    kind = draw(
        st.sampled_from(["regressor", "forest", "dart", "binary", "classes", "log", "scaled", "calibrated"])
    )
    if kind == "forest":
        return Pipeline([*steps, ("model", XGBRFRegressor(**options))]).fit(table, size), table
    if kind in ("binary", "classes", "calibrated"):
        classes = 3 if kind == "classes" else 2
        labels = pd.qcut(size, classes, labels=False)
        model = Pipeline([*steps, ("model", XGBClassifier(**options))]).fit(table, labels)
        if kind == "calibrated":
            method = draw(st.sampled_from(["sigmoid", "isotonic"]))
            model = CalibratedClassifierCV(FrozenEstimator(model), method=method).fit(table, labels)
        return model, table
    dropout = {"booster": "dart", "rate_drop": 0.3} if kind == "dart" else {}
    model = Pipeline([*steps, ("model", XGBRegressor(**options, **dropout))])
    if kind == "log":
        return TransformedTargetRegressor(model, func=np.log1p, inverse_func=np.expm1).fit(table, size), table
    if kind == "scaled":
        return TransformedTargetRegressor(model, transformer=draw(SCALERS)).fit(table, size), table
    return model.fit(table, size), table
