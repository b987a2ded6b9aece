"""A report says what makes its numbers look better, or worse, than they are."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from model.bundle import Bundle
from model.description.manifest import Manifest
from tests.unit.model.command import made, run, write_csv
from tests.unit.model.report.pages import part_of, read_page

Rows = list[list[object]]
TRAINED = 300


def plain(seed: int, rows: int = TRAINED) -> Rows:
    random = np.random.default_rng(seed)
    a, b, noise = random.normal(size=(3, rows)).round(5)
    return [
        [x, y, round(x + 0.5 * e, 5)] for x, y, e in zip(a.tolist(), b.tolist(), noise.tolist(), strict=True)
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(tmp_path_factory.mktemp("data") / "t.csv", ["a", "b", "y"], plain(1))


@pytest.fixture(scope="module")
def manifest(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    out = tmp_path_factory.mktemp("out")
    limits = out / "limits.json"
    limits.write_text('{"b": {"nullable": true}}')
    options = ("--rounds", "30", "--limits", limits, "--output", out)
    return made("train", data, "--target", "y", *options)


def said_of(manifest: Manifest, file: Path) -> str:
    result = run("report", manifest.directory, "--data", file, "--output", file.with_suffix(".html"))
    assert result.status == 0, result.err
    return part_of(read_page(file.with_suffix(".html").read_bytes()), "Suspicions").text


def test_fresh_rows_are_not_suspicious(manifest: Manifest, tmp_path: Path) -> None:
    said = said_of(manifest, write_csv(tmp_path / "t.csv", ["a", "b", "y"], within(plain(2))))
    assert (
        said == "SuspicionsNothing was found that makes the numbers below look better or worse than they are."
    )


def within(rows: Rows) -> Rows:
    """Those within the ranges of the training."""
    known = np.array(plain(1), dtype=float)
    low, high = known.min(axis=0), known.max(axis=0)
    return [row for row in rows if ((low <= row) & (row <= high)).all()]


def test_the_table_that_the_model_was_trained_on(manifest: Manifest, data: Path) -> None:
    assert "the model was trained on this table" in said_of(manifest, data)


def test_a_holdout_that_looks_like_the_training_rows(manifest: Manifest, tmp_path: Path) -> None:
    shuffled = plain(1)[::-1] + within(plain(2))
    said = said_of(manifest, write_csv(tmp_path / "t.csv", ["a", "b", "y"], shuffled))
    assert "12 of the bundle's 12 golden rows are rows of this table" in said


Change = Callable[[Sequence[object]], Sequence[object]]

CHANGES: dict[str, tuple[Change, int, str]] = {
    "a feature that gives the target away": (
        lambda row: [row[2], row[1], row[2]],
        TRAINED,
        "column 'a' alone explains 100.0% of 'y'; check that it is known before the target is",
    ),
    "few rows": (lambda row: row, 40, "rows are few, so the metrics below are not reliable"),
    "a constant": (lambda row: [row[0], 0.5, row[2]], TRAINED, "column 'b' has the same value in every row"),
    "many missing values": (
        lambda row: [row[0], "", row[2]],
        TRAINED,
        "column 'b' is missing in 100.0% of the rows",
    ),
    "rows like no others": (
        lambda row: [row[0], 100, row[2]],
        TRAINED,
        "100% of the rows have values that training did not see; b is above what training saw",
    ),
    "rows that cannot be scored": (
        lambda row: [row[0], "much", row[2]] if float(str(row[0])) > 1 else row,
        TRAINED,
        "rows cannot be scored; the first is row",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_suspicious_in_a_table_is_said(what: str, manifest: Manifest, tmp_path: Path) -> None:
    change, rows, expected = CHANGES[what]
    table = [change(row) for row in within(plain(2))[:rows]]
    assert expected in said_of(manifest, write_csv(tmp_path / "t.csv", ["a", "b", "y"], table))


def test_copies_of_rows_flatter_a_split(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["a", "b", "y"], plain(1, 150) * 2)
    result = run("train", table, "--target", "y", "--rounds", "5", "--output", tmp_path)
    expected = "50.0% of the rows are copies of another row"
    assert expected in result.err
    assert expected in part_of(read_page((tmp_path / "t/1/report.html").read_bytes()), "Suspicions").text


def test_predictions_that_are_all_but_perfect(manifest: Manifest, tmp_path: Path) -> None:
    rows = [[float(str(a)), float(str(b))] for a, b, _ in within(plain(2))]
    scores = Bundle.load(manifest).predict(rows).tolist()
    perfect = [[*row, score] for row, score in zip(rows, scores, strict=True)]
    said = said_of(manifest, write_csv(tmp_path / "t.csv", ["a", "b", "y"], perfect))
    assert "the predictions are all but perfect" in said


def test_a_class_with_few_rows(tmp_path: Path) -> None:
    rows = [
        [a, b, "rare" if number < 12 else "usual" if b else "other"]
        for number, (a, b, _) in enumerate(plain(1))
    ]
    table = write_csv(tmp_path / "t.csv", ["a", "b", "kind"], rows)
    made("train", table, "--target", "kind", "--classify", "--rounds", "5", "--output", tmp_path)
    said = part_of(read_page((tmp_path / "t/1/report.html").read_bytes()), "Suspicions").text
    assert "classes with too few rows to say how well they are predicted: 'rare' (12 rows)" in said
