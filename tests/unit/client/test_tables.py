"""Tables of pandas and polars: their rows are sent as they are, and come back with their scores."""

import datetime
import decimal
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from paygrade import InvalidInput, InvalidRequest, JobFailed, Output, RowsFailed, RowsNotScored
from paygrade.tables.columns import columns_of_outputs
from paygrade.tables.frames import Frame, Pandas, Polars, frame_of

from tests.unit.client.conftest import Connect
from tests.unit.client.played_service import PlayedAnswer, PlayedService, batch, problem
from tests.unit.client.scoring_service import MODEL, ScoringService

YEARS = [2.5, 0.1, 1 / 3, 12.5]
EXACT = [float(np.float32(years) * np.float32(10)) for years in YEARS]
"""The scores, each as the float64 that is equal to its float32."""

ways = pytest.mark.parametrize("way", ["predict", "score"])


@ways
def test_a_frame_of_pandas_keeps_its_index_its_columns_and_its_order(connect: Connect, way: str) -> None:
    frame = pd.DataFrame({"who": list("abcd"), "years": YEARS}, index=["x", "x", 7, None])
    service = ScoringService()
    scored = getattr(connect(service), way)(frame)
    assert scored.index is frame.index or scored.index.equals(frame.index)
    assert list(scored.columns[:3]) == ["who", "years", "prediction"]
    assert scored.prediction.dtype == "float32"
    assert scored.prediction.tolist() == EXACT
    assert scored.error.isna().all()
    assert list(frame.columns) == ["who", "years"]
    assert service.rows == [{"years": years} for years in YEARS]


@ways
def test_a_frame_of_polars_likewise(connect: Connect, way: str) -> None:
    frame = pl.DataFrame({"who": list("abcd"), "years": YEARS})
    scored = getattr(connect(ScoringService()), way)(frame)
    assert scored.columns[:3] == ["who", "years", "prediction"]
    assert scored.schema["prediction"] == pl.Float32
    assert scored["prediction"].to_list() == EXACT
    assert scored["error"].null_count() == 4
    assert frame.columns == ["who", "years"]


@ways
def test_the_version_that_the_columns_are_of_is_the_one_that_scores(connect: Connect, way: str) -> None:
    service = ScoringService()
    getattr(connect(service), way)(pd.DataFrame({"years": [1]}), model="salary")
    post = next(request for request in service.sent if request.method == "POST")
    assert "salary@3" in post.content.decode() + post.url.params.get("model", "")


def test_rows_that_failed_say_why_and_are_warned_of(connect: Connect) -> None:
    frame = pd.DataFrame({"years": [2.5, "many", 4.5]}, index=[5, 6, 7])
    with pytest.warns(RowsNotScored, match="1 of 3 rows were not scored.*row 2: years must be a number"):
        scored = connect(ScoringService()).score(frame)
    assert scored.error.tolist() == [None, "years must be a number", None]
    assert scored.prediction.isna().tolist() == [False, True, False]
    with pytest.raises(RowsFailed) as raised:
        connect(ScoringService()).score(frame, on_failed="raise")
    assert raised.value.scored.equals(scored)
    assert connect(ScoringService()).score(frame, on_failed="ignore").equals(scored)


def test_a_table_whose_results_are_not_as_many_as_its_rows_is_not_scored(connect: Connect) -> None:
    ended = PlayedAnswer(200, batch("partially_succeeded", succeeded=1))
    models = PlayedAnswer(200, {"data": [MODEL]})
    service = PlayedService(models, ended, ended, PlayedAnswer(200, b'{"prediction":1.5,"error":null}\n'))
    with pytest.raises(JobFailed):
        connect(service).score(pd.DataFrame({"years": [1, 2]}))


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (pd.Series([1.5, np.nan, None]), [1.5, None, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series([0.1], dtype="float32"), [float(np.float32(0.1))]),
        (pd.Series(["a", None, pd.NA, ""], dtype="object"), ["a", None, None, ""]),
        (pd.Series(["b", None], dtype="category"), ["b", None]),
        (pd.Series([True, False]), [True, False]),
        (pd.Series(pd.to_datetime(["2026-11-28", None])), ["2026-11-28T00:00:00", None]),
        (pd.Series([decimal.Decimal("1.10"), decimal.Decimal("NaN")]), ["1.10", None]),
        (pd.Series([np.inf, -np.inf]), ["inf", "-inf"]),
        (pd.Series([np.float32(0.5), np.int64(3), np.bool_(True)], dtype="object"), [0.5, 3, True]),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pd.Series) else "",
)
def test_values_of_pandas_are_sent_as_what_they_are(values: Any, sent: list[Any]) -> None:
    rows = [row["years"] for row in Frame(pd.DataFrame({"years": values}), Pandas()).rows(["years"])]
    assert rows == sent
    assert list(map(type, rows)) == list(map(type, sent))


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (pl.Series([1.5, None, float("nan")]), [1.5, None, None]),
        (pl.Series([0.1], dtype=pl.Float32), [float(np.float32(0.1))]),
        (pl.Series(["a", None], dtype=pl.Categorical), ["a", None]),
        (pl.Series([datetime.date(2026, 11, 28), None]), ["2026-11-28", None]),
        (pl.Series([decimal.Decimal("1.10")]), ["1.10"]),
        (pl.Series([True, None]), [True, None]),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pl.Series) else "",
)
def test_values_of_polars_too(values: Any, sent: list[Any]) -> None:
    rows = [row["years"] for row in Frame(pl.DataFrame({"years": values}), Polars()).rows(["years"])]
    assert rows == sent


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_a_table_without_rows_asks_for_no_scores(connect: Connect, library: Any) -> None:
    for way in ("predict", "score"):
        service = ScoringService()
        scored = getattr(connect(service), way)(library.DataFrame({"years": []}))
        assert list(scored.columns) == ["years", "warnings", "error"]
        assert {request.method for request in service.sent} == {"GET"}


@ways
def test_a_column_that_is_not_there_is_named_with_the_one_that_is_near(connect: Connect, way: str) -> None:
    with pytest.raises(InvalidInput, match="no column years, a feature of salary; there is Years"):
        getattr(connect(ScoringService()), way)(pd.DataFrame({"Years": [1], "who": ["a"]}))
    with pytest.raises(InvalidInput, match="there are who, age"):
        getattr(connect(ScoringService()), way)(pd.DataFrame({"who": ["a"], "age": [1]}))
    with pytest.raises(InvalidInput, match="2 columns years"):
        getattr(connect(ScoringService()), way)(pd.DataFrame([[1, 2]], columns=["years", "years"]))


def test_who_sends_a_table_that_is_too_long_or_faulty_is_told_what_takes_it(connect: Connect) -> None:
    service = PlayedService(
        PlayedAnswer(200, {"data": [MODEL]}), problem(422, "must be a list of 1 to 1,000 rows")
    )
    with pytest.raises(InvalidRequest, match="1,000 rows") as raised:
        connect(service).predict(pd.DataFrame({"years": range(1001)}))
    assert raised.value.__notes__ == [
        "`score` takes a table of any length, and a faulty row of it fails alone."
    ]


@ways
def test_scores_never_replace_a_column_and_take_a_prefix(connect: Connect, way: str) -> None:
    service = ScoringService()
    frame = pd.DataFrame({"years": [2.5], "prediction": ["of last year"]})
    with pytest.raises(InvalidInput, match="a column prediction already; name a prefix"):
        getattr(connect(service), way)(frame)
    assert service.sent == []
    scored = getattr(connect(service), way)(frame, prefix="our_")
    assert scored.our_prediction.tolist() == [25]
    assert "our_error" in scored


def test_what_is_no_table_is_refused_by_score(connect: Connect) -> None:
    with pytest.raises(InvalidInput, match="not dict"):
        connect(ScoringService()).score({"years": 2.5})
    with pytest.raises(InvalidInput, match="collect"):
        connect(ScoringService()).score(pl.LazyFrame({"years": [1]}))


def test_a_row_may_be_a_series_of_pandas(connect: Connect) -> None:
    frame = pd.DataFrame({"years": [2.5, np.nan], "level": ["a", None]})
    rows = [row for _, row in frame.iterrows()]
    service = PlayedService(PlayedAnswer(202, {"id": "x"}))
    connect(service).submit(rows[0])
    connect(service).submit(frame.iloc[1])
    assert [body["inputs"] for body in service.bodies()] == [
        {"years": 2.5, "level": "a"},
        {"years": None, "level": None},
    ]


def test_many_rows_are_sent_in_pieces_and_all_of_them(connect: Connect) -> None:
    frame = pd.DataFrame({"years": np.arange(25_001)})
    service = ScoringService()
    scored = connect(service).score(frame)
    assert len(service.rows) == 25_001
    assert scored.prediction.tolist() == (frame.years * 10.0).tolist()


OUTPUTS: list[Output] = [
    {
        "prediction": 1,
        "label": "high",
        "probabilities": {"low": 0.25, "high": 0.75},
        "interval": [0.5, 2.5],
        "contributions": {"years": 0.5},
        "base": 0.1,
        "warnings": ["one", "two"],
    },
    {"error": {"type": "not_scored", "detail": "why"}},
]


def test_outputs_become_the_columns_that_results_of_batches_have() -> None:
    columns = columns_of_outputs(OUTPUTS, "float32")
    assert {name: (column.type, column.values[0]) for name, column in columns.items()} == {
        "prediction": ("integer", 1),
        "label": ("text", "high"),
        "probability_low": ("float32", 0.25),
        "probability_high": ("float32", 0.75),
        "interval_low": ("float32", 0.5),
        "interval_high": ("float32", 2.5),
        "contribution_years": ("float32", 0.5),
        "base": ("float64", 0.1),
        "warnings": ("text", "one; two"),
        "error": ("text", None),
    }
    assert [column.values[1] for column in columns.values()] == [None] * 9 + ["why"]


def test_several_targets_are_several_columns() -> None:
    columns = columns_of_outputs([{"prediction": {"height": 1.5, "weight": 2.5}}], "float64")
    assert list(columns) == ["prediction_height", "prediction_weight", "warnings", "error"]
    assert columns["prediction_height"].type == "float64"


@pytest.mark.parametrize("library", [Pandas, Polars])
def test_whole_numbers_stay_whole_where_some_rows_failed(library: type[Pandas | Polars]) -> None:
    table = (pd if library is Pandas else pl).DataFrame({"years": [1, 2]})
    scored = Frame(table, library()).with_columns(columns_of_outputs(OUTPUTS, "float32"))
    assert str(scored["prediction"].dtype) == "Int64"
    assert scored["prediction"].to_list()[0] == 1


def test_neither_library_is_imported_for_a_table_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pandas")
    monkeypatch.delitem(sys.modules, "polars")
    assert frame_of({"years": 2.5}) is None
    assert not {"pandas", "polars"} & sys.modules.keys()
