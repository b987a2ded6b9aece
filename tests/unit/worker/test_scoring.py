"""Each row gets its own output or its own error; a bad row fails alone."""

import json
import math
from collections.abc import Sequence
from errno import ENOMEM
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.predictions.consumer import Outcome
from jobs.predictions.record import Row
from jobs.predictions.status import PredictionStatus
from model.bundle import Bundle
from model.description.catalog import Catalog
from model.outputs import Outputs
from tests.unit.worker.conftest import claim
from worker.bundles import output_rows, scorer
from worker.predictions import by_bundle, score_together

BAD = -1.0


def tenfold(rows: Sequence[Row]) -> list[bytes]:
    """A model of one feature that raises an error for BAD."""
    if any(row == [BAD] for row in rows):
        raise ValueError("a row that the model cannot score")
    return output_rows(Outputs(np.array([10 * row[0] for row in rows], dtype=np.float32)), {})


def output(outcome: Outcome) -> Any:
    return json.loads(outcome.outputs)


def error_type(outcome: Outcome) -> str:
    return str(json.loads(outcome.error)["type"])


def test_each_row_gets_its_own_output_in_order() -> None:
    claims = [claim([1.0]), claim([2.0], [3.0]), claim([4.0], listed=True), claim([5.0])]
    outcomes = score_together(tenfold, claims)
    assert [outcome.claim for outcome in outcomes] == claims
    assert [outcome.status for outcome in outcomes] == [PredictionStatus.SUCCEEDED] * 4
    assert [output(outcome) for outcome in outcomes] == [
        {"prediction": 10},
        [{"prediction": 20}, {"prediction": 30}],
        [{"prediction": 40}],
        {"prediction": 50},
    ]


def test_a_bad_row_in_a_micro_batch_fails_alone() -> None:
    *good, bad = score_together(tenfold, [claim([1.0]), claim([2.0], [3.0]), claim([BAD])])
    assert [output(outcome) for outcome in good] == [
        {"prediction": 10},
        [{"prediction": 20}, {"prediction": 30}],
    ]
    assert (bad.status, bad.outputs, error_type(bad)) == (PredictionStatus.FAILED, b"", "not_scored")


def test_a_bad_row_in_a_list_fails_alone() -> None:
    [outcome] = score_together(tenfold, [claim([1.0], [BAD], [3.0])])
    first, second, third = output(outcome)
    assert (outcome.status, outcome.error) == (PredictionStatus.PARTIALLY_SUCCEEDED, b"")
    assert (first, third) == ({"prediction": 10}, {"prediction": 30})
    assert second["error"]["type"] == "not_scored"


def test_a_list_of_bad_rows_fails_and_each_row_has_its_error() -> None:
    [outcome, other] = score_together(tenfold, [claim([BAD], [BAD]), claim([7.0])])
    assert (outcome.status, error_type(outcome)) == (PredictionStatus.FAILED, "rows_failed")
    assert [each["error"]["type"] for each in output(outcome)] == ["not_scored"] * 2
    assert output(other) == {"prediction": 70}


@given(st.lists(st.sampled_from([BAD, *range(20)]), min_size=1, max_size=40))
def test_the_other_rows_are_scored_wherever_the_bad_ones_are(years: list[float]) -> None:
    outcomes = score_together(tenfold, [claim([float(value)]) for value in years])
    for value, outcome in zip(years, outcomes, strict=True):
        if value == BAD:
            assert outcome.status is PredictionStatus.FAILED
        else:
            assert output(outcome) == {"prediction": 10 * value}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_an_error(value: float) -> None:
    single, several = score_together(tenfold, [claim([value]), claim([1.0], [value])])
    assert (single.status, error_type(single)) == (PredictionStatus.FAILED, "not_finite")
    assert several.status is PredictionStatus.PARTIALLY_SUCCEEDED
    assert [*output(several)[0], *output(several)[1]] == ["prediction", "error"]


def test_warnings_are_members_of_the_row_that_they_are_about() -> None:
    first, second = output_rows(Outputs(np.array([10, 20], dtype=np.float32)), {1: ['"2"']})
    assert first == b'{"prediction":10.0}'
    assert json.loads(second) == {"prediction": 20, "warnings": ['"2"']}


def test_scores_are_written_in_the_shortest_form_that_reads_back_the_same() -> None:
    values = [260.00012, 0.1, 374.99866]
    texts = output_rows(Outputs(np.array(values, dtype=np.float32)), {})
    assert texts == [b'{"prediction":%s}' % str(value).encode() for value in values]


def test_the_model_is_called_once_for_all_rows() -> None:
    calls: list[int] = []

    def counting(rows: Sequence[Row]) -> list[bytes]:
        calls.append(len(rows))
        return tenfold(rows)

    score_together(counting, [claim([float(years)]) for years in range(100)])
    assert calls == [100]


@pytest.fixture(scope="module")
def salary(catalog: Catalog) -> Bundle:
    return Bundle.load(catalog.find("salary@1"))


def test_the_salary_model_gives_the_figures_of_the_article(salary: Bundle) -> None:
    rows = [[2.5], [4.5], [12.0]]
    outcomes = score_together(scorer(salary), [claim(row) for row in rows])
    assert [outcome.outputs for outcome in outcomes] == [
        b'{"prediction":260.00012}',
        b'{"prediction":374.99866}',
        b'{"prediction":749.99884}',
    ]


@pytest.mark.parametrize("row", [["many"], [], [1.0, 2.0], [None, {}]])
def test_a_row_that_the_salary_model_cannot_read_fails_alone(salary: Bundle, row: Row) -> None:
    good, bad, other = score_together(scorer(salary), [claim([2.5]), claim(row), claim([4.5])])
    assert (good.outputs, other.outputs) == (b'{"prediction":260.00012}', b'{"prediction":374.99866}')
    assert (bad.status, error_type(bad)) == (PredictionStatus.FAILED, "not_scored")


def test_claims_are_grouped_by_bundle() -> None:
    one, other, third = claim([1.0]), claim([2.0], sha256="07" * 32), claim([3.0])
    assert by_bundle([one, other, third]) == [[one, third], [other]]


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("std::bad_alloc"), OSError(ENOMEM, "no memory")]
)
def test_a_lack_of_memory_is_not_blamed_on_a_row(error: Exception) -> None:
    def too_many(rows: Sequence[Row]) -> list[bytes]:
        if len(rows) > 2:
            raise error
        return tenfold(rows)

    def always_too_many(_: Sequence[Row]) -> list[bytes]:
        raise error

    claims = [claim([float(years)]) for years in range(7)]
    assert [output(each)["prediction"] for each in score_together(too_many, claims)] == [
        10 * years for years in range(7)
    ]
    with pytest.raises(MemoryError):
        score_together(always_too_many, claims)
