"""The closed list of transformers that can be written as data."""

from collections.abc import Mapping
from typing import Any

from paygrade.saving.containers import read_column_transformer, read_feature_union, read_pipeline
from paygrade.saving.encoders import read_one_hot, read_ordinal, read_target_encoder
from paygrade.saving.functions import read_function
from paygrade.saving.imputers import read_imputer, read_indicator
from paygrade.saving.numeric import (
    read_binarizer,
    read_bins,
    read_powers,
    read_products,
    read_quantiles,
)
from paygrade.saving.program import Program, Reader
from paygrade.saving.reading import Traced
from paygrade.saving.scalers import SCALERS, read_scaler

SELECTORS = (
    "GenericUnivariateSelect",
    "RFE",
    "RFECV",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SequentialFeatureSelector",
    "VarianceThreshold",
)


def read_selector(program: Program, selector: Any, traced: Traced, values: Any) -> list[int]:
    """Only leaves columns out."""
    return [traced.columns[position] for position in selector.get_support(indices=True)]


READERS: Mapping[str, Reader] = {
    "Binarizer": read_binarizer,
    "ColumnTransformer": read_column_transformer,
    "FeatureUnion": read_feature_union,
    "FunctionTransformer": read_function,
    "KBinsDiscretizer": read_bins,
    "MissingIndicator": read_indicator,
    "OneHotEncoder": read_one_hot,
    "OrdinalEncoder": read_ordinal,
    "Pipeline": read_pipeline,
    "PolynomialFeatures": read_products,
    "PowerTransformer": read_powers,
    "QuantileTransformer": read_quantiles,
    "SimpleImputer": read_imputer,
    "TargetEncoder": read_target_encoder,
    **dict.fromkeys(SCALERS, read_scaler),
    **dict.fromkeys(SELECTORS, read_selector),
}
