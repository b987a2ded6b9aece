"""Two versions are compared on a table: errors, a verdict, differences, and the rows that differ most."""

import re
from pathlib import Path

import numpy as np
import pytest
import xgboost

from model.bundle import Bundle
from model.comparing.scores import arrays_of, find_differences, score_table
from model.description.manifest import Manifest
from model.evaluation.evaluate import evaluate
from model.publish import publish
from model.tables.table import read_table
from tests.unit.model.command import refusal, run, write_csv
from tests.unit.model.conftest import Publish


@pytest.fixture
def rents(tmp_path: Path) -> Path:
    """Ten flats with their rents; one without rooms, one whose rooms are no number."""
    rows = [[rooms, rooms**2] for rooms in range(8)] + [["", 3], ["many", 4]]
    return write_csv(tmp_path / "rents.csv", ["rooms", "rent"], rows)


def classifier(root: Path, classes: int, version: int, rounds: int) -> Manifest:
    x = np.arange(60, dtype=np.float32).reshape(-1, 1)
    labels = (x.ravel() // 5).astype(int) % classes
    objective = (
        {"objective": "binary:logistic"}
        if classes == 2
        else {"objective": "multi:softprob", "num_class": classes}
    )
    matrix = xgboost.DMatrix(x, labels, feature_names=["x"], nthread=1)
    booster = xgboost.train({**objective, "max_depth": 2, "nthread": 1}, matrix, rounds)
    description = {
        "name": "kind",
        "version": version,
        "target": "kind",
        "unit": "",
        "features": [{"name": "x", "type": "number"}],
        "classes": ["a", "b", "c"][:classes],
        "trees": rounds,
        "metrics": {},
        "training": {},
    }
    return publish(root, booster, description, [{"x": 1}])


def test_the_comparison_shows_errors_differences_and_the_largest_ones(
    publish_rent: Publish, rents: Path
) -> None:
    old, new = publish_rent(version=1, trees=20), publish_rent(version=2, trees=3)
    said = run("compare", old.directory, new.directory, "--data", rents).out
    [of_errors] = [line for line in said.splitlines() if "mean absolute error" in line]
    scores = [
        Bundle.load(each).predict([[float(rooms)] for rooms in range(8)] + [[None]]) for each in (old, new)
    ]
    targets = np.array([rooms**2 for rooms in range(8)] + [3])
    expected = [f"{np.abs(each - targets).mean():.6g}" for each in scores]
    assert of_errors.split()[-2:] == expected
    assert "9 of 10 rows are scored by both versions" in said
    assert "rent@1 cannot score 1 rows: in row 10, rooms must be a number" in said
    differences = scores[1].astype(float) - scores[0].astype(float)
    most = int(np.abs(differences).argmax())
    [first] = [line for line in said.splitlines() if re.match(rf"  {most + 1} +", line)][:1]
    assert f"{differences[most]:.8g}" in first
    assert "#" in said


def test_equal_versions_have_no_differences(publish_rent: Publish, rents: Path) -> None:
    same = publish_rent().directory
    said = run("compare", same, same, "--data", rents).out
    assert "9 of them have equal scores, to the last bit" in said
    assert "largest differences" not in said


def test_versions_with_the_same_number_are_called_as_they_were_named(
    publish_rent: Publish, rents: Path, tmp_path: Path
) -> None:
    one = publish_rent(trees=20).directory
    one.rename(tmp_path / "one")
    other = publish_rent(trees=3).directory
    said = run("compare", tmp_path / "one", other, "--data", rents).out
    assert f"differences ({other} minus {tmp_path / 'one'})" in said


def test_rows_that_neither_version_can_score_are_said(publish_rent: Publish, tmp_path: Path) -> None:
    old, new = publish_rent(version=1), publish_rent(version=2, trees=3)
    table = write_csv(tmp_path / "t.csv", ["rooms"], [["many"], ["few"]])
    report = tmp_path / "none.html"
    said = run("compare", old.directory, new.directory, "--data", table, "--report", report).out
    assert not report.exists()
    assert "0 of 2 rows are scored by both versions" in said


def test_a_table_without_the_target_gives_no_errors(publish_rent: Publish, tmp_path: Path) -> None:
    old, new = publish_rent(version=1), publish_rent(version=2, trees=3)
    table = write_csv(tmp_path / "t.csv", ["rooms"], [[1], [2]])
    said = run("compare", old.directory, new.directory, "--data", table).out
    assert "the table has no column 'rent', so no errors are measured" in said
    assert "2 of 2 rows are scored by both versions" in said


@pytest.mark.parametrize("classes", [2, 3])
def test_the_probabilities_of_classifiers_are_compared(tmp_path: Path, classes: int) -> None:
    old, new = (classifier(tmp_path, classes, version, rounds) for version, rounds in ((1, 2), (2, 20)))
    names = ["a", "b", "c"]
    rows = [[number, names[number // 5 % classes]] for number in range(60)]
    table = read_table(write_csv(tmp_path / "kinds.csv", ["x", "kind"], rows)).columns
    columns = arrays_of(table)
    scored = [score_table(Bundle.load(each), each.ref, columns, 60) for each in (old, new)]
    probabilities = [
        each.scores if classes > 2 else np.column_stack([1 - each.scores, each.scores]) for each in scored
    ]
    numbers = np.array([names.index(str(row[1])) for row in rows])
    for each, of_classes in zip(scored, probabilities, strict=True):
        assert each.outputs
        [evaluation] = evaluate(each.bundle, each.outputs, each.rows, columns)
        metrics = {name: measure(np.ones(60)) for name, measure in evaluation.metrics.items()}
        assert metrics["accuracy"] == (of_classes.argmax(axis=1) == numbers).mean()
        assert metrics["log loss"] == pytest.approx(-np.log(of_classes[np.arange(60), numbers]).mean())
    differences = find_differences(scored[0], scored[1])
    sizes = np.abs(probabilities[1] - probabilities[0]).max(axis=1)
    assert np.abs(differences.values) == pytest.approx(sizes)


def test_versions_with_other_answers_are_not_compared(
    publish_rent: Publish, tmp_path: Path, rents: Path
) -> None:
    one, other = publish_rent(), classifier(tmp_path, 2, 1, 2)
    line = refusal("compare", one.directory, other.directory, "--data", rents)
    assert "the scores of rent@1 and kind@1 cannot be compared" in line


def test_publishing_shows_what_changes_for_callers(
    publish_rent: Publish, rents: Path, tmp_path: Path
) -> None:
    old, new = publish_rent(version=1, trees=20), publish_rent(version=2, trees=3)
    served = tmp_path / "served"
    assert (
        run("publish", old.directory, "--to", served).out == f"rent@1 is in {served} (sha256 {old.sha256})\n"
    )
    said = run("publish", new.directory, "--to", served, "--sample", rents).out
    assert "instead of version 1, callers would get version 2" in said
    assert "3 of 3 rows are scored by both versions" in said
    assert "9 of 10 rows are scored by both versions" in said
    assert said.endswith(f"rent@2 is in {served} (sha256 {new.sha256})\n")
    assert Manifest.read(served / "rent" / "2").sha256 == new.sha256


def test_a_version_that_breaks_callers_is_published_only_when_they_are_prepared(
    publish_rent: Publish, tmp_path: Path
) -> None:
    narrower = [{"name": "rooms", "type": "number", "nullable": True, "maximum": 9}]
    old, new = publish_rent(version=1), publish_rent(version=2, features=narrower, unit="dollars")
    served = tmp_path / "served"
    run("publish", old.directory, "--to", served)
    line = refusal("publish", new.directory, "--to", served)
    assert "rent@2 would break callers of version 1: rooms must be at most 9 instead of any number" in line
    assert "the unit is dollars instead of euros; add --breaking" in line
    assert not (served / "rent" / "2").exists()
    said = run("publish", new.directory, "--to", served, "--breaking").out
    assert "this breaks callers: rooms must be at most 9" in said
    assert (served / "rent" / "2").exists()


def test_a_version_is_compared_with_what_the_alias_names_and_the_alias_moves(
    publish_rent: Publish, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    for version in (1, 2, 3):
        publish_rent(version=version, trees=version)
    run("publish", tmp_path / "rent" / "1", "--to", served, "--alias", "champion")
    run("publish", tmp_path / "rent" / "2", "--to", served)
    said = run("publish", tmp_path / "rent" / "3", "--to", served, "--alias", "champion").out
    assert "instead of version 2, callers would get version 3" in said
    assert "instead of version 1, callers would get version 3" in said
    assert "rent@champion names version 3 instead of 1" in said
