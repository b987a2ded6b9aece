"""The closed list of transformers that can be written as data."""

from collections.abc import Mapping

from paygrade.saving.containers import read_column_transformer, read_feature_union, read_pipeline
from paygrade.saving.encoders import read_one_hot
from paygrade.saving.functions import read_function
from paygrade.saving.program import Reader

READERS: Mapping[str, Reader] = {
    "ColumnTransformer": read_column_transformer,
    "FeatureUnion": read_feature_union,
    "FunctionTransformer": read_function,
    "OneHotEncoder": read_one_hot,
    "Pipeline": read_pipeline,
}
