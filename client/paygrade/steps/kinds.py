"""The closed list of the kinds of steps."""

from paygrade.steps.bins import Bin, Threshold
from paygrade.steps.function import Clip, Function
from paygrade.steps.imputation import Impute, Indicate
from paygrade.steps.lookup import Lookup, OneHot
from paygrade.steps.power import Power
from paygrade.steps.product import Product
from paygrade.steps.quantile import InverseNormalQuantile, InverseQuantile, NormalQuantile, Quantile
from paygrade.steps.scale import Scale
from paygrade.steps.sparse import Dense, Sparse
from paygrade.steps.step import Step

ALL: tuple[type[Step], ...] = (
    Bin,
    Clip,
    Dense,
    Function,
    Impute,
    Indicate,
    InverseNormalQuantile,
    InverseQuantile,
    Lookup,
    NormalQuantile,
    OneHot,
    Power,
    Product,
    Quantile,
    Scale,
    Sparse,
    Threshold,
)
KINDS: dict[str, type[Step]] = {kind.kind: kind for kind in ALL}
"""Every kind that a bundle may have, by its name in a bundle."""
