"""Where an author's scores may be, and what is wrong with scores that prove nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.model.importing.conftest import Attempt, Save, features, regressor

Scores = Any


@pytest.fixture
def attempt(save: Save, flats: pd.DataFrame) -> Attempt:
    return save(model(flats))


def model(flats: pd.DataFrame) -> Any:
    return regressor().fit(features(flats), flats["y"])


@pytest.mark.parametrize(
    ("name", "write", "option"),
    [
        ("s.csv", lambda file, scores: pd.Series(scores, name="p").to_csv(file, index=False), "s.csv"),
        ("s.csv", lambda file, scores: pd.DataFrame({"p": scores, "q": 1}).to_csv(file), "s.csv:p"),
        ("s.parquet", lambda file, scores: pd.DataFrame({"p": scores}).to_parquet(file), "s.parquet"),
        ("s.txt", np.savetxt, "s.txt"),
        ("s.npy", np.save, "s.npy"),
    ],
)
def test_scores_may_be_in_a_file_of_their_own(
    attempt: Attempt, flats: pd.DataFrame, name: str, write: Callable[[Path, Scores], None], option: str
) -> None:
    write(attempt.folder / name, model(flats).predict(features(flats)))
    sample = attempt.sample(features(flats))
    manifest = attempt.made("--sample", sample, "--scores", f"{attempt.folder}/{option}")
    assert manifest.proof == {"kind": "scores", "rows": 300, "scores": name}


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (lambda right: [*right[:4], np.nan, *right[5:]], "the score of row 5 is missing or not a finite"),
        (lambda right: [*right[:4], np.inf, *right[5:]], "the score of row 5 is missing or not a finite"),
        (lambda right: right[:9], "has 9 scores, but sample.csv has 300 rows"),
        (lambda right: np.full(300, right[0]), "a single score, for however many rows, proves nothing"),
    ],
)
def test_scores_that_prove_nothing_are_refused(
    attempt: Attempt, flats: pd.DataFrame, scores: Any, message: str
) -> None:
    np.save(attempt.folder / "s.npy", np.asarray(scores(model(flats).predict(features(flats)))))
    sample = attempt.sample(features(flats))
    assert message in attempt.refused("--sample", sample, "--scores", attempt.folder / "s.npy")


def test_one_row_proves_nothing_and_no_rows_are_refused(attempt: Attempt, flats: pd.DataFrame) -> None:
    table = features(flats).assign(score=model(flats).predict(features(flats)))
    one = attempt.refused("--sample", attempt.sample(table[:1]), "--scores", "score")
    assert "a single score" in one
    none = attempt.refused("--sample", attempt.sample(table[:0]), "--scores", "score")
    assert "has no rows" in none


def test_scores_that_are_nowhere_are_refused(attempt: Attempt, flats: pd.DataFrame) -> None:
    sample = attempt.sample(features(flats))
    missing = attempt.refused("--sample", sample, "--scores", "nope")
    assert "--scores: 'nope' is neither a file nor a column of the sample; its columns are 'area'" in missing
    file = attempt.refused("--sample", sample, "--scores", "nope.csv:score")
    assert "--scores: there is no file nope.csv" in file
    assert "--scores needs the rows" in attempt.refused("--scores", "score")


def test_an_array_of_objects_is_not_unpickled(attempt: Attempt, flats: pd.DataFrame) -> None:
    np.save(attempt.folder / "s.npy", np.array([object()] * 300), allow_pickle=True)
    sample = attempt.sample(features(flats))
    line = attempt.refused("--sample", sample, "--scores", attempt.folder / "s.npy")
    assert "is not an array of numbers that numpy.save wrote" in line
