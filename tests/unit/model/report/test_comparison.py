"""Two versions are compared on the same rows, with an interval of their difference and a plain verdict."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.bundle import Bundle
from model.description.manifest import Manifest
from model.report.writing import number
from tests.unit.model.command import made, run, write_csv
from tests.unit.model.report.pages import outline, part_of, read_page, values_of

Train = Callable[..., Manifest]


def rows_of(seed: int, rows: int = 300) -> list[list[float]]:
    random = np.random.default_rng(seed)
    a, b, noise = random.normal(size=(3, rows)).round(5)
    drawn: list[list[float]] = np.column_stack([a, b, (a + b * b + 0.3 * noise).round(5)]).tolist()
    return drawn


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(tmp_path_factory.mktemp("data") / "fresh.csv", ["a", "b", "y"], rows_of(2))


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Manifest]:
    """A poor version, a good one, and one that differs from it by chance only."""
    folder = tmp_path_factory.mktemp("data")
    data = write_csv(folder / "v.csv", ["a", "b", "y"], rows_of(1))
    options = {"poor": ("3", "1"), "good": ("150", "1"), "alike": ("150", "2")}
    return {
        name: made("train", data, "--target", "y", "--rounds", rounds, "--seed", seed, "--output", folder)
        for name, (rounds, seed) in options.items()
    }


def compare(old: Manifest, new: Manifest, data: Path, *more: str | Path) -> str:
    result = run("compare", old.directory, new.directory, "--data", data, *more)
    assert result.status == 0, result.err
    return result.out


def test_the_better_version_is_named(versions: dict[str, Manifest], fresh: Path) -> None:
    poor, good = versions["poor"], versions["good"]
    assert "v@2 is better than v@1: root mean squared error" in compare(poor, good, fresh)
    assert "v@1 is worse than v@2: root mean squared error" in compare(good, poor, fresh)


def test_rows_that_do_not_tell_versions_apart_are_said(versions: dict[str, Manifest], tmp_path: Path) -> None:
    few = write_csv(tmp_path / "few.csv", ["a", "b", "y"], rows_of(2)[:20])
    said = compare(versions["good"], versions["alike"], few)
    assert "20 rows do not tell v@3 and v@2 apart: root mean squared error" in said


def test_a_version_is_as_good_as_itself(versions: dict[str, Manifest], fresh: Path) -> None:
    good = versions["good"].directory
    said = run("compare", good, f"{good}/.", "--data", fresh).out
    assert f"{good}/. and {good} are equally good" in said


def test_the_report_has_the_parts_of_both(versions: dict[str, Manifest], fresh: Path, tmp_path: Path) -> None:
    file = tmp_path / "both.html"
    said = compare(versions["poor"], versions["good"], fresh, "--report", file)
    assert f"the report is in {file}" in said
    page = read_page(file.read_bytes())
    errors = ["Predicted and true", "Errors over predictions", "How often an error occurs"]
    assert outline(page) == {
        "Suspicions": [],
        "How good they are": ["root mean squared error"],
        "How they differ": ["Differences", "Where each errs"],
        "v@1": errors,
        "v@2": errors,
        "Their scores": ["Scores of both", "How often a difference occurs"],
        "What matters to each": ["v@1", "v@2"],
        "The data": ["y"],
        "How they were made": ["v@1", "v@2", "This page"],
    }
    [verdict] = [line for line in said.splitlines() if line.startswith("v@2 is better")]
    assert f"{verdict}." in page.text


def test_the_differences_are_those_of_the_errors_of_the_same_rows(
    versions: dict[str, Manifest], fresh: Path, tmp_path: Path
) -> None:
    file = tmp_path / "both.html"
    compare(versions["poor"], versions["good"], fresh, "--report", file)
    labels = np.array(rows_of(2))[:, 2]
    checked = [row[:2] for row in rows_of(2)]
    errors = [
        np.abs(Bundle.load(versions[name]).predict(checked).astype(float) - labels)
        for name in ("poor", "good")
    ]
    gaps = errors[1] - errors[0]
    differences = values_of(part_of(read_page(file.read_bytes()), "How they differ"))
    value, interval, favours = differences["mean absolute error"]
    assert value == number(gaps.mean())
    assert favours == "v@2"
    low, high = map(float, interval.split(" to "))
    half = 1.96 * gaps.std() / np.sqrt(len(gaps))
    assert (low, high) == pytest.approx((gaps.mean() - half, gaps.mean() + half), abs=half * 0.15)


def test_only_rows_that_both_can_score_are_compared(versions: dict[str, Manifest], tmp_path: Path) -> None:
    rows = [*map(list[object], rows_of(2)[:50]), ["much", 1, 1]]
    table = write_csv(tmp_path / "t.csv", ["a", "b", "y"], rows)
    file = tmp_path / "both.html"
    assert "50 of 51 rows are scored by both" in compare(
        versions["poor"], versions["good"], table, "--report", file
    )
    assert "1 rows cannot be scored; the first is row 51" in read_page(file.read_bytes()).text


def test_what_would_break_callers_is_shown(tmp_path: Path, fresh: Path) -> None:
    data = write_csv(tmp_path / "v.csv", ["a", "b", "y"], rows_of(1))
    old, new = (
        made("train", data, "--target", "y", "--rounds", "3", "--output", tmp_path, *more)
        for more in ((), ("--drop", "b"))
    )
    file = tmp_path / "both.html"
    said = compare(old, new, fresh, "--report", file)
    assert "breaks callers: b is no longer a feature" in said
    assert "b is no longer a feature" in part_of(read_page(file.read_bytes()), "Suspicions").text
