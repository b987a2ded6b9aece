"""Reads what undoes a transform of the target."""

from typing import Any

from paygrade.saving.errors import SaveRefused
from paygrade.saving.functions import describe_function
from paygrade.saving.numeric import quantile_points
from paygrade.saving.reading import class_name, require_fitted
from paygrade.saving.scalers import SCALERS, inverse_scaling

After = list[dict[str, Any]]
SCORES = "float32"
"""The type of a booster's scores, which these transforms keep."""


def read_inverse(transformer: Any) -> After:
    """Return what is done to the scores of a model of the transformed target; raises SaveRefused."""
    name = class_name(transformer)
    require_fitted(transformer)
    if name in SCALERS:
        return [_scale(transformer)]
    if name == "FunctionTransformer":
        return _read_function(transformer)
    if name == "PowerTransformer":
        return _read_power(transformer)
    if name == "QuantileTransformer":
        normal = "normal_" if transformer.output_distribution == "normal" else ""
        points = quantile_points(transformer, 0)
        return [{"kind": f"inverse_{normal}quantile", "dtype": SCORES, **points}]
    if name == "Pipeline":
        return [part for _, step in reversed(transformer.steps) for part in read_inverse(step)]
    raise SaveRefused(
        f"{name} of the target cannot be undone by the service; use FunctionTransformer with functions of "
        f"NumPy, PowerTransformer, QuantileTransformer, or one of {', '.join(SCALERS)}"
    )


def _scale(scaler: Any) -> dict[str, Any]:
    return {"kind": "scale", **inverse_scaling(scaler, SCORES)}


def _read_function(transformer: Any) -> After:
    if transformer.inverse_func is None:
        return []
    kind, members = describe_function(transformer.inverse_func, transformer.inv_kw_args)
    return [{"kind": kind, "dtype": SCORES, **members}]


def _read_power(transformer: Any) -> After:
    scaled = [_scale(transformer._scaler)] if transformer.standardize else []
    method = "inverse_" + transformer.method.replace("-", "_")
    powers = [float(power) for power in transformer.lambdas_]
    return [*scaled, {"kind": "power", "dtype": SCORES, "method": method, "powers": powers}]
