"""The engine gives the bits of XGBoost's own Python layer, for every objective and for rows that are hard."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost

from model.engines.engine import Floats
from model.engines.xgboost import Booster, EngineError, XGBoostEngine
from tests.unit.model.engines.forests import KINDS, Trained, hard_rows, train

ROWS = 2_000
SLOW_ROWS = 10_000_000
BLOCK = 50_000


def engine_of(trained: Trained, margins: bool = False) -> XGBoostEngine:
    return XGBoostEngine(Booster(trained.model), trained.trees, margins)


class PythonLayer:
    """What XGBoost's Python layer gives for a model that it loads from the same file."""

    def __init__(self, trained: Trained) -> None:
        self.booster = xgboost.Booster({"nthread": 1})
        with xgboost.config_context(verbosity=0):
            self.booster.load_model(bytearray(trained.model))
            learner = json.loads(self.booster.save_config())["learner"]
        if learner["objective"]["name"] == "multi:softmax":  # served with the probabilities of all classes
            self.booster.set_param({"objective": "multi:softprob"})
        name = learner["gradient_booster"]["name"]
        self.trees = name == "gbtree"
        self._rounds = (0, 0) if name == "gblinear" else (0, trained.trees)

    def predict(self, rows: Floats, margin: Floats | None = None, **output: bool) -> Any:
        matrix = xgboost.DMatrix(rows, base_margin=margin, nthread=1)
        return self.booster.predict(matrix, iteration_range=self._rounds, validate_features=False, **output)

    def predict_in_place(self, rows: Floats, margin: Floats | None = None, kind: str = "value") -> Any:
        return self.booster.inplace_predict(
            rows,
            iteration_range=self._rounds,
            predict_type=kind,
            validate_features=False,
            base_margin=margin,
        )


def same_bits(these: Floats, those: Floats) -> bool:
    return these.shape == those.shape and np.array_equal(these.view(np.uint32), those.view(np.uint32))


def margin_of(kind: str, rows: int) -> Floats | None:
    if kind != "base margin":
        return None
    return np.random.default_rng(3).normal(0, 1, rows).astype(np.float32)


each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_the_scores_have_the_bits_of_the_python_layer(kind: str) -> None:
    trained = train(kind)
    rows, margin, python = hard_rows(trained, ROWS, 1), margin_of(kind, ROWS), PythonLayer(trained)
    scores = engine_of(trained).score(rows, margin)
    assert scores.dtype == np.float32
    assert scores.flags.writeable
    assert same_bits(scores, python.predict(rows, margin))
    if python.trees:
        assert same_bits(scores, python.predict_in_place(rows, margin))
        sums = engine_of(trained, margins=True).score(rows, margin)
        assert same_bits(sums, python.predict_in_place(rows, margin, "margin"))


@each_kind
def test_a_row_alone_has_the_bits_that_it_has_in_a_block(kind: str) -> None:
    trained = train(kind)
    rows, margin, engine = hard_rows(trained, 40, 2), margin_of(kind, 40), engine_of(trained)
    alone = [
        engine.score(rows[at : at + 1], None if margin is None else margin[at : at + 1])
        for at in range(len(rows))
    ]
    assert same_bits(np.concatenate(alone), engine.score(rows, margin))


@each_kind
def test_contributions_have_the_bits_of_the_python_layer(kind: str) -> None:
    trained = train(kind)
    rows, margin, python = hard_rows(trained, 30, 4), margin_of(kind, 30), PythonLayer(trained)
    engine = engine_of(trained)
    try:
        expected = python.predict(rows, margin, pred_contribs=True)
    except xgboost.core.XGBoostError:  # several numbers in a leaf, before 3.3
        with pytest.raises(EngineError):
            engine.explain(rows, margin)
        return
    explained = engine.explain(rows, margin)
    assert same_bits(explained.contributions, expected)
    assert same_bits(explained.margins, python.predict(rows, margin, output_margin=True))


ARRANGEMENTS: list[Callable[[Floats], Floats]] = [
    np.asfortranarray,
    lambda rows: np.repeat(rows, 2, axis=0)[::2],
    lambda rows: rows[::-1],
    lambda rows: np.pad(rows, [(0, 0), (3, 2)])[:, 3:-2],
]


@pytest.mark.parametrize("kind", ["reg:squarederror", "dart", "linear", "wide"])
@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_how_an_array_lies_in_memory_changes_nothing(kind: str, arrange: Callable[[Floats], Floats]) -> None:
    trained = train(kind)
    rows, engine = hard_rows(trained, 100, 5), engine_of(trained)
    arranged = arrange(rows)
    assert not arranged.flags.c_contiguous or np.array_equal(arranged, rows, equal_nan=True)
    assert same_bits(engine.score(arranged), engine.score(np.ascontiguousarray(arranged)))


@each_kind
def test_infinite_values_are_treated_as_the_python_layer_treats_them(kind: str) -> None:
    trained = train(kind)
    rows, margin, python = hard_rows(trained, 20, 6), margin_of(kind, 20), PythonLayer(trained)
    rows[3, 1], rows[7, 2] = np.inf, -np.inf
    try:
        expected = python.predict_in_place(rows, margin) if python.trees else python.predict(rows, margin)
    except xgboost.core.XGBoostError:
        with pytest.raises(EngineError, match="inf"):
            engine_of(trained).score(rows, margin)
    else:
        assert same_bits(engine_of(trained).score(rows, margin), expected)


def test_no_rows_have_no_scores() -> None:
    for kind in ("reg:squarederror", "softprob"):
        trained = train(kind)
        assert engine_of(trained).score(np.zeros((0, trained.features), dtype=np.float32)).size == 0


@pytest.mark.slow
@each_kind
def test_of_millions_of_rows_not_one_bit_differs(kind: str) -> None:
    left = SLOW_ROWS // len(KINDS) + 1
    seed = 100
    while left > 0:
        rows_now = min(left, BLOCK if kind != "wide" else BLOCK // 10)
        trained = train(kind, seed)
        rows, margin, python = (
            hard_rows(trained, rows_now, seed),
            margin_of(kind, rows_now),
            PythonLayer(trained),
        )
        scores = engine_of(trained).score(rows, margin)
        assert same_bits(scores, python.predict(rows, margin)), (kind, seed)
        if python.trees:
            assert same_bits(scores, python.predict_in_place(rows, margin)), (kind, seed)
        left, seed = left - rows_now, seed + 1
