"""One way to ask a booster for the scores of the sample, and the other ways that its author may have used."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.bundle import Scorer
from model.description.errors import BundleError, ModelError
from model.description.features import Feature
from model.description.schema import Schema
from model.engines.xgboost import Booster, XGBoostEngine
from model.importing.features import zeros_missing
from model.importing.sample import read_sample
from model.objective import Objective
from model.preparation import preparation_of
from model.tables.table import Table

Floats = NDArray[np.float32]
SENTINELS = (-999.0, -9999.0, -99.0, -1.0, 0.0, 99.0, 999.0, 9999.0, 99999.0)
"""Numbers that often stand for a missing value."""
MOST_SENTINELS = 16
MOST_MARGINS = 8


@dataclass(frozen=True, eq=False)
class Reading:
    """What the booster is given, and how many of its rounds are used.

    `served` is the booster as a bundle loads it. `matrix` has shape (rows, features of `schema`). `margin` is
    a base margin that the schema does not have.
    """

    booster: xgboost.Booster
    served: Booster
    objective: Objective
    schema: Schema
    matrix: Floats
    trees: int
    missing: float | None = None
    margin: Floats | None = None

    def select(self, rows: NDArray[np.int64]) -> "Reading":
        """Return the reading of these rows alone."""
        margin = None if self.margin is None else self.margin[rows]
        return replace(self, matrix=self.matrix[rows], margin=margin)

    def scores(self) -> Floats:
        """Return the booster's scores, before the inverse of any transform."""
        schema, matrix = self.schema, self.matrix
        if self.margin is not None:
            schema = Schema([*schema.features, Feature("base margin\n", "number", base_margin=True)])
            matrix = np.column_stack([matrix, self.margin])
        preparation = preparation_of(schema, self.missing)
        engine = XGBoostEngine(self.served, self.trees, self.objective.crossing)
        scores: Floats = Scorer(engine, self.objective, preparation).score(matrix)
        return scores

    def scores_in_place(self) -> Floats:
        """Return what scikit-learn's interface predicts: DART then adds up in another order."""
        features, margin = preparation_of(self.schema, self.missing).split(self.matrix)
        scores: Floats = self.booster.inplace_predict(
            features, iteration_range=(0, self.trees), validate_features=False, base_margin=margin
        )
        return scores

    def margins(self) -> Floats:
        """Return the sums of the trees, before XGBoost's link function."""
        features, margin = preparation_of(self.schema, self.missing).split(self.matrix)
        rows = xgboost.DMatrix(features, base_margin=margin, nthread=1)
        rounds = (0, 0) if self.objective.booster == "gblinear" else (0, self.trees)
        margins: Floats = self.booster.predict(
            rows, output_margin=True, iteration_range=rounds, validate_features=False
        )
        return margins


class Change(NamedTuple):
    """Another way to read: `because` says what would be so, `remedy` what to do about it."""

    dimension: str
    because: str
    remedy: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def changes(reading: Reading, table: Table, others: Sequence[str]) -> Iterator[Change]:
    """Yield each single change of what the booster is given; `others` are columns that are no features."""
    yield from _missing_changes(reading)
    yield from _trees_changes(reading)
    yield from _order_changes(reading, table, others)
    yield from _margin_changes(reading, table, others)


def _missing_changes(reading: Reading) -> Iterator[Change]:
    features = reading.schema.to_list()
    if not any(feature.zero_is_missing for feature in reading.schema.features):
        schema = Schema.from_list(zeros_missing(features))
        because = "zeros are missing, as in a sparse matrix"
        yield Change("zeros", because, "add --zero-is-missing", {"schema": schema})
    else:
        kept = [{name: one for name, one in each.items() if name != "zero_is_missing"} for each in features]
        yield Change(
            "zeros", "zeros are numbers", "leave out --zero-is-missing", {"schema": Schema.from_list(kept)}
        )
    if reading.missing is not None:
        because = f"{reading.missing:g} is a number"
        yield Change("missing", because, "leave out --missing-value", {"missing": None})
    for number in _sentinels(reading.matrix):
        if number not in (reading.missing, 0):
            because = f"{number:g} stands for a missing value"
            yield Change("missing", because, f"add --missing-value {number:g}", {"missing": number})


def _sentinels(matrix: Floats) -> list[float]:
    """Return numbers of the matrix that may stand for a missing value, the likeliest first."""
    counts: Counter[float] = Counter()
    ends: Counter[float] = Counter()
    for column in matrix.T:
        values, repeats = np.unique(column[~np.isnan(column)], return_counts=True)
        counts.update(dict(zip(values.tolist(), repeats.tolist(), strict=True)))
        ends.update(
            {float(values[at]): int(repeats[at]) for at in (0, -1) if values.size and repeats[at] > 1}
        )
    usual = [number for number in SENTINELS if number in counts]
    frequent = [
        number for counted in (ends, counts) for number, _ in counted.most_common(MOST_SENTINELS // 2)
    ]
    return list(dict.fromkeys([*usual, *frequent]))[: len(usual) + MOST_SENTINELS]


def _trees_changes(reading: Reading) -> Iterator[Change]:
    rounds, best = reading.booster.num_boosted_rounds(), reading.booster.attr("best_iteration")
    counts = {rounds: f"all {rounds} rounds of trees are used"}
    if best is not None:
        counts[int(best) + 1] = f"the rounds up to the best iteration ({int(best) + 1} of {rounds}) are used"
    for count, because in counts.items():
        if count != reading.trees:
            yield Change("trees", because, f"add --trees {count}", {"trees": count})


def _order_changes(reading: Reading, table: Table, others: Sequence[str]) -> Iterator[Change]:
    columns = [name for name in table.columns.column_names if name not in others]
    names = reading.schema.tree_features
    if reading.schema.base_margin is not None:
        return
    orders = {
        "the features are the sample's columns in their order": (tuple(columns), "add --by-position"),
        "the features are in alphabetical order": (
            tuple(sorted(names)),
            "give the names in that order: --schema FILE",
        ),
    }
    for because, (order, remedy) in orders.items():
        if len(order) == len(names) and list(order) != names:
            try:
                matrix = _matrix(reading.schema, table, order)
            except ModelError:
                continue
            yield Change("order", because, remedy, {"matrix": matrix})


def _matrix(schema: Schema, table: Table, order: Sequence[str]) -> Floats:
    """Read the columns in this order as the features."""
    renamed = table.columns.select(list(order)).rename_columns(list(schema.names))
    return read_sample(schema, Table(table.file, table.sha256, renamed)).matrix


def _margin_changes(reading: Reading, table: Table, others: Sequence[str]) -> Iterator[Change]:
    if reading.schema.base_margin is not None or reading.objective.classes > 2 or reading.objective.quantiles:
        return
    candidates = [
        name for name in table.columns.column_names if name not in reading.schema.names and name not in others
    ]
    for name in candidates[:MOST_MARGINS]:
        column = Schema([Feature(name, "number")])
        try:
            values = read_sample(column, table).matrix[:, 0]
        except BundleError:
            continue
        because = f"the column {name!r} is the base margin"
        yield Change("margin", because, f"add --base-margin {name}", {"margin": values})
        if values.min() > 0:
            because = f"the logarithm of {name!r} is the base margin"
            remedy = "add a column with that logarithm to the sample, and --base-margin with its name"
            yield Change("margin", because, remedy, {"margin": np.log(values)})
