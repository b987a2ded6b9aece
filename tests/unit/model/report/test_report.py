"""A report says how good a bundle is, whatever it predicts, and can do nothing but be read."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn import metrics as reference

from model.bundle import Bundle
from model.description.manifest import Manifest
from model.publish import publish
from model.report.writing import number
from tests import pipelines
from tests.unit.model.command import made, refusal, run, write_csv
from tests.unit.model.report.pages import Node, outline, part_of, read_page, rows_of, values_of

ROWS = 300
NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)> \u202e&amp'
FRAME = [
    "Suspicions",
    "How good it is",
    "Where it errs",
    "What matters",
    "How the prediction moves",
    "The data",
]


def table_of(random: np.random.Generator, rows: int = ROWS) -> list[list[Any]]:
    size, kind = random.normal(size=rows).round(6), random.choice(["a", "b", NASTY], rows)
    noise, seen = random.normal(size=rows).round(6), random.random(rows) > 0.3
    target = (3 * size + (kind == "a") + 0.3 * noise).round(6)
    return [
        [*each, "" if known is False else extra]
        for *each, known, extra in zip(
            target.tolist(), size.tolist(), kind.tolist(), seen.tolist(), noise.tolist(), strict=True
        )
    ]


COLUMNS = ["y", "size", NASTY, "extra"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = table_of(np.random.default_rng(1))
    return write_csv(tmp_path_factory.mktemp("data") / "rows.csv", COLUMNS, rows)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other rows of the same kind."""
    rows = table_of(np.random.default_rng(2))
    return write_csv(tmp_path_factory.mktemp("data") / "fresh.csv", COLUMNS, rows)


@pytest.fixture(scope="module")
def manifest(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    out = tmp_path_factory.mktemp("out")
    options = ("--name", "m", "--unit", "m²", "--quantiles", "0.1,0.9", "--rounds", "20", "--output", out)
    return made("train", data, "--target", "y", *options)


@pytest.fixture(scope="module")
def trained(manifest: Manifest) -> Node:
    return read_page((manifest.directory / "report.html").read_bytes())


def report(bundle: Path, data: Path, output: Path) -> Node:
    result = run("report", bundle, "--data", data, "--output", output)
    assert result.status == 0, result.err
    return read_page(output.read_bytes())


def test_training_writes_a_report_with_every_part(trained: Node) -> None:
    assert [each.text for each in trained.find("h1")] == ["m@1"]
    assert outline(trained) == {
        "Suspicions": [],
        "How good it is": ["mean absolute error"],
        "Where it errs": [
            "Predicted and true",
            "Errors over predictions",
            "How often an error occurs",
            "Coverage of the interval",
        ],
        "What matters": ["Importance"],
        "How the prediction moves": ["size", NASTY, "extra"],
        "The data": ["y in m²"],
        "How it was made": [],
    }


def test_names_full_of_markup_are_only_text(trained: Node) -> None:
    for node in trained.find(*{each.tag for each in trained.find(*_all_tags(trained))}):
        assert node.tag not in ("script", "img", "iframe", "link", "object", "form")
        assert not [name for name in node.attributes if name.startswith("on") or name in ("style", "src")]
        assert node.attributes.get("href", "#").startswith("#")
    assert NASTY in trained.text


def _all_tags(node: Node) -> set[str]:
    tags = set()
    for each in node.children:
        if isinstance(each, Node):
            tags |= {each.tag} | _all_tags(each)
    return tags


def test_the_policy_of_the_page_allows_its_own_style_and_nothing_else(trained: Node) -> None:
    [style] = trained.find("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    [policy] = [
        each.attributes["content"] for each in trained.find("meta") if "http-equiv" in each.attributes
    ]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_each_picture_has_words_and_its_numbers(trained: Node) -> None:
    figures = list(trained.find("figure"))
    assert len(list(trained.find("svg"))) == len(figures)
    for figure in figures:
        [picture] = figure.find("svg")
        assert picture.attributes["role"] == "img"
        assert picture.attributes["aria-label"]
        [details] = figure.find("details")
        assert len(rows_of(details)) > 1


def test_every_link_of_the_contents_leads_to_a_part(trained: Node) -> None:
    parts = {part.attributes["id"] for part in trained.find("section")}
    assert {link.attributes["href"].removeprefix("#") for link in trained.find("a")} == parts


def test_it_says_how_it_was_made(manifest: Manifest, trained: Node) -> None:
    text = part_of(trained, "How it was made").text
    assert manifest.sha256 in text
    assert manifest.training["sha256"] in text
    assert f"xgboost-cpu {xgboost.__version__}" in text
    assert "--quantiles 0.1,0.9 --rounds 20" in text
    assert "5 folds, drawn with the seed 0" in part_of(trained, "The data").text


def test_the_same_command_writes_the_same_bytes(manifest: Manifest, fresh: Path, tmp_path: Path) -> None:
    command = ("report", manifest.directory, "--data", fresh, "--output", tmp_path / "report.html")
    pages = []
    for _ in range(2):
        assert run(*command).status == 0
        pages.append((tmp_path / "report.html").read_bytes())
    assert pages[0] == pages[1]


def test_the_metrics_of_training_are_those_of_rows_that_were_held_out(
    manifest: Manifest, trained: Node
) -> None:
    metrics = values_of(part_of(trained, "How good it is"))
    for name in ("mean absolute error", "interval coverage", "interval width"):
        of_folds = manifest.metrics["model"][name.replace(" ", "_")]["mean"]
        assert float(metrics[name][0]) == pytest.approx(of_folds, rel=1e-3)  # folds of equal size
    linear = manifest.metrics["linear"]["mean_absolute_error"]["mean"]
    assert float(metrics["mean absolute error"][1]) == pytest.approx(linear, rel=1e-3)


def test_the_metrics_of_a_table_are_those_of_its_scores(
    manifest: Manifest, fresh: Path, tmp_path: Path
) -> None:
    page = report(manifest.directory, fresh, tmp_path / "report.html")
    rows = table_of(np.random.default_rng(2))
    checked = manifest.schema.check_rows(
        [
            {"size": size, NASTY: kind, "extra": None if extra == "" else extra}
            for _, size, kind, extra in rows
        ]
    )
    scores = np.sort(Bundle.load(manifest).predict(checked), axis=1).astype(float)
    labels = np.array([row[0] for row in rows])
    low, middle, high = scores.T
    metrics = values_of(part_of(page, "How good it is"))
    assert {name: values[0] for name, values in metrics.items()} == {
        "mean absolute error": number(reference.mean_absolute_error(labels, middle)),
        "root mean squared error": number(reference.root_mean_squared_error(labels, middle)),
        "r2": number(reference.r2_score(labels, middle)),
        "interval coverage": number(float(np.mean((labels >= low) & (labels <= high)))),
        "interval width": number(float(np.mean(high - low))),
    }
    constants = [np.mean(labels), np.median(labels)]
    expected = [number(float(np.abs(labels - each).mean())) for each in constants]
    assert metrics["mean absolute error"][1:] == expected
    assert "The model beats every baseline" in page.text
    assert "the model is evaluated on all rows" in part_of(page, "The data").text


def test_a_classifier_shows_its_calibration_and_which_classes_it_confuses(data: Path, tmp_path: Path) -> None:
    options = ("--target", NASTY, "--classify", "--name", "c", "--rounds", "20", "--output", tmp_path)
    page = read_page((made("train", data, *options).directory / "report.html").read_bytes())
    assert list(outline(page)) == [*FRAME, "How it was made"]
    shown = outline(page)["Where it errs"]
    assert sorted(shown[:3]) == sorted([f"Calibration of {each}" for each in ("a", "b", NASTY)])
    assert shown[3].startswith("Probabilities of")
    assert shown[4] == "Confusion matrix"
    counts = rows_of(part_of(page, "Confusion matrix"))
    assert sum(int(cell) for row in counts[1:-1] for cell in row[1:-1]) == ROWS
    assert "log loss" in values_of(part_of(page, "How good it is"))


def test_two_classes_have_one_calibration(data: Path, tmp_path: Path) -> None:
    rows = [[row[0] > 0, *row[1:]] for row in table_of(np.random.default_rng(1))]
    table = write_csv(tmp_path / "t.csv", COLUMNS, rows)
    manifest = made("train", table, "--target", "y", "--classify", "--rounds", "9", "--output", tmp_path)
    page = report(manifest.directory, table, tmp_path / "r.html")
    assert outline(page)["Where it errs"] == [
        "Calibration of true",
        "Probabilities of true",
        "Confusion matrix",
    ]
    assert {"area under ROC", "Brier score"} <= values_of(part_of(page, "How good it is")).keys()


def booster_of(objective: dict[str, Any], labels: Any, **of_matrix: Any) -> xgboost.Booster:
    x = np.random.default_rng(5).normal(size=(60, 2)).astype(np.float32)
    matrix = xgboost.DMatrix(x, labels(x), feature_names=["a", "b"], nthread=1, **of_matrix)
    return xgboost.train({"nthread": 1, **objective}, matrix, 5)


def published(root: Path, booster: xgboost.Booster, target: str, **more: Any) -> Manifest:
    description = {
        "name": "elsewhere",
        "target": target,
        "unit": "",
        "features": [{"name": "a", "type": "number"}, {"name": "b", "type": "number"}],
        "trees": 5,
        "metrics": {},
        "training": {},
        **more,
    }
    return publish(root, booster, description, [{"a": 0, "b": 0}])


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    x = np.random.default_rng(6).normal(size=(80, 2))
    rows = [[a, b, a + b, a * b] for a, b in x.tolist()]
    return write_csv(tmp_path / "pairs.csv", ["a", "b", "y", "z"], rows)


def test_several_targets_are_evaluated_one_by_one(pairs: Path, tmp_path: Path) -> None:
    booster = booster_of({}, lambda x: np.column_stack([x.sum(axis=1), x.prod(axis=1)]))
    manifest = published(tmp_path, booster, "y, z", targets=["y", "z"])
    page = report(manifest.directory, pairs, tmp_path / "r.html")
    shown = outline(page)
    assert {
        "How good it is of y",
        "Where it errs of y",
        "How good it is of z",
        "Where it errs of z",
    } < shown.keys()
    assert "mean change of the score" in part_of(page, "What matters").text
    assert "y: The model beats every baseline" in page.text


def test_ranks_are_shown_and_not_measured(pairs: Path, tmp_path: Path) -> None:
    booster = booster_of(
        {"objective": "rank:ndcg"}, lambda x: (x[:, 0] > 0).astype(int), qid=np.repeat([0, 1], 30)
    )
    page = report(published(tmp_path, booster, "y").directory, pairs, tmp_path / "r.html")
    assert list(outline(page)) == [
        "Suspicions",
        "What matters",
        "How the prediction moves",
        "The data",
        "How it was made",
    ]
    assert "How good it is remains unknown" in page.text


def test_a_table_without_the_target_still_shows_what_matters(manifest: Manifest, tmp_path: Path) -> None:
    rows = [row[1:] for row in table_of(np.random.default_rng(2))]
    table = write_csv(tmp_path / "t.csv", COLUMNS[1:], rows)
    page = report(manifest.directory, table, tmp_path / "r.html")
    assert "the table has no column 'y'" in page.text
    assert "How good it is" not in outline(page)
    assert outline(page)["How the prediction moves"]


def test_an_imported_model_has_a_report(data: Path, tmp_path: Path) -> None:
    booster_of({}, lambda x: x[:, 0]).save_model(tmp_path / "m.ubj")
    rows = np.random.default_rng(8).normal(size=(50, 2)).tolist()
    table = write_csv(tmp_path / "t.csv", ["a", "b", "y"], [[a, b, a] for a, b in rows])
    imported = made("import", tmp_path / "m.ubj", "--name", "i", "--target", "y", "--output", tmp_path)
    page = report(imported.directory, table, tmp_path / "r.html")
    assert "compared with nothing" in part_of(page, "How it was made").text


def test_a_table_of_which_no_row_can_be_scored_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["size", NASTY], [["much", "a"]])
    line = refusal("report", manifest.directory, "--data", table)
    assert "no row can be scored: 1 rows cannot be scored; the first is row 1: size must be a number" in line


def test_the_report_goes_into_the_bundle_and_changes_no_sha256(
    manifest: Manifest, fresh: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "copy"
    directory.mkdir()
    for file in ("model.ubj", "bundle.json"):
        (directory / file).write_bytes((manifest.directory / file).read_bytes())
    said = run("report", directory, "--data", fresh).out
    assert said == f"the report of m@1 is in {directory / 'report.html'}\n"
    assert "golden rows score as published" in run("check", directory).out
    assert json.loads((directory / "bundle.json").read_text())["sha256"] == manifest.sha256


@pytest.mark.parametrize("make", [pipelines.regression, pipelines.calibrated])
def test_a_saved_pipeline_has_a_report(make: Callable[[pd.DataFrame], Any], tmp_path: Path) -> None:
    table, fresh = pipelines.flats(200), pipelines.flats(120, seed=4)
    saved = pipelines.save(make(table), table, tmp_path)
    rents = pipelines.rents(fresh)
    target = rents if make is pipelines.regression else (rents > rents.median()).astype(int)
    fresh.assign(rent=target).to_parquet(tmp_path / "fresh.parquet", index=False)
    page = report(saved.bundle, tmp_path / "fresh.parquet", tmp_path / "r.html")
    assert set(outline(page)["How the prediction moves"]) == set(table.columns)
    assert "The model beats every baseline" in page.text
    assert "the steps of a pipeline, kept as data" in part_of(page, "How it was made").text


def test_classes_without_chances_are_not_measured(pairs: Path, tmp_path: Path) -> None:
    booster = booster_of({"objective": "binary:hinge"}, lambda x: (x[:, 0] > 0).astype(int))
    page = report(published(tmp_path, booster, "y").directory, pairs, tmp_path / "r.html")
    assert "How good it is remains unknown" in page.text


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_few_rows_are_enough_for_a_report(rows: int, manifest: Manifest, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", COLUMNS, table_of(np.random.default_rng(2), rows))
    page = report(manifest.directory, table, tmp_path / "r.html")
    assert "rows are few" in part_of(page, "Suspicions").text
    assert "nan" not in " ".join(each.attributes.get("d", "") for each in page.find("path"))
