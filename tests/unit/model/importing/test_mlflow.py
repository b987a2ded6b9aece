"""A model that MLflow saved becomes a bundle, without MLflow; nothing outside of its folder is read."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.model.command import made, refusal

SAVED = Path(__file__).parents[1] / "saved"
VERSIONS = ("mlflow-2", "mlflow-3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that can be damaged."""
    shutil.copytree(SAVED / "mlflow-3" / "reg", tmp_path / "reg")
    return tmp_path / "reg"


def refused(folder: Path, tmp_path: Path) -> str:
    line = refusal("import", folder, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    return line


def describe(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change MLmodel."""
    description = yaml.safe_load((folder / "MLmodel").read_text())
    change(description)
    (folder / "MLmodel").write_text(yaml.safe_dump(description))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_folder_gives_bundle_schema_and_golden_rows(tmp_path: Path, version: str) -> None:
    manifest = made("import", SAVED / version / "reg", "--target", "rent", "--output", tmp_path)
    assert (manifest.name, manifest.training["imported"]) == ("reg", "reg")
    assert [(one.name, one.type) for one in manifest.schema.features] == [
        ("years", "number"),
        ("rooms", "number"),
        ("lift", "boolean"),
    ]
    assert manifest.examples == [
        {"years": row / 2, "rooms": row, "lift": row % 2 == 0} for row in range(5)
    ]  # the input example
    assert manifest.proof == {"kind": "none"}


def test_the_bundle_gives_the_scores_of_the_model(tmp_path: Path) -> None:
    manifest = made("import", SAVED / "mlflow-3" / "reg", "--output", tmp_path)
    assert [float(str(score)) for score in manifest.golden.predictions[:3]] == [
        11.280971,
        10.170081,
        12.543491,
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_of_arrays_needs_the_names_of_its_features(tmp_path: Path, version: str) -> None:
    assert "does not know their names" in refused(SAVED / version / "cls", tmp_path)
    (tmp_path / "names.json").write_text('["years", "rooms", "lift"]')
    manifest = made(
        "import", SAVED / version / "cls", "--schema", tmp_path / "names.json", "--output", tmp_path
    )
    assert manifest.examples[1] == {"years": 0.5, "rooms": 1.0, "lift": 0.0}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("flavor", ["pipe", "pyfunc"])
def test_a_pickled_flavor_is_refused_with_the_way_round(tmp_path: Path, version: str, flavor: str) -> None:
    line = refused(SAVED / version / flavor, tmp_path)
    assert "a pickle, and reading a pickle can run code; in the environment of the model, load it" in line
    assert 'paygrade.save(pipeline, "bundle/", name=…, sample=…)' in line


def test_a_booster_is_scored_with_all_its_rounds_as_mlflow_does(folder: Path, tmp_path: Path) -> None:
    import xgboost

    booster = xgboost.Booster(model_file=folder / "model.ubj")
    booster.set_attr(best_iteration="2")
    booster.save_model(folder / "model.ubj")
    assert made("import", folder, "--output", tmp_path / "estimator").trees == 3
    describe(folder, lambda found: found["flavors"]["xgboost"].update(model_class="xgboost.core.Booster"))
    assert made("import", folder, "--output", tmp_path / "booster").trees == 6


def test_a_folder_without_its_parts_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.ubj").unlink()
    assert "reg: lacks the file model.ubj, so it was not saved whole" in refused(folder, tmp_path)
    (folder / "MLmodel").unlink()
    assert "reg: lacks the file MLmodel" in refused(folder, tmp_path)


@pytest.mark.parametrize(
    "description",
    [b"", b"[", b"- a", b"\xff\xfe", b"flavors: {}", b"flavors: {xgboost: {}}", b"[" * 100_000],
    ids=range(7),
)
def test_a_description_that_is_not_whole_is_refused(folder: Path, tmp_path: Path, description: bytes) -> None:
    (folder / "MLmodel").write_bytes(description)
    refused(folder, tmp_path)


def test_a_description_runs_no_code(folder: Path, tmp_path: Path) -> None:
    (folder / "MLmodel").write_text(f"flavors: !!python/object/apply:os.mkdir ['{tmp_path / 'hacked'}']")
    assert "is not the YAML that MLflow writes" in refused(folder, tmp_path)
    assert not (tmp_path / "hacked").exists()


def test_a_description_that_refers_to_itself_does_not_fill_the_memory(folder: Path, tmp_path: Path) -> None:
    levels = [f"level{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 12)]
    whole = (folder / "MLmodel").read_text()
    inflated = ["level0: &a0 [x]", *levels, whole.replace("model_class: ", "model_class: *a11 # ")]
    (folder / "MLmodel").write_text("\n".join(inflated))
    assert "*a11" in (folder / "MLmodel").read_text()
    made("import", folder, "--target", "y", "--output", tmp_path / "out")


def test_an_example_without_columns_is_left_out(folder: Path, tmp_path: Path) -> None:
    (folder / "input_example.json").write_text('{"columns": 3, "data": [[1, 2]]}')
    assert made("import", folder, "--target", "y", "--output", tmp_path / "out").examples == []


@pytest.mark.parametrize("data", ["/etc/passwd", "../secret.ubj", "a/../../secret.ubj", "C:\\m.ubj", ""])
def test_a_file_outside_of_the_folder_is_not_read(folder: Path, tmp_path: Path, data: str) -> None:
    shutil.copy(folder / "model.ubj", tmp_path / "secret.ubj")
    describe(folder, lambda found: found["flavors"]["xgboost"].update(data=data))
    assert "names a file outside of the folder" in refused(folder, tmp_path)


@pytest.mark.parametrize("name", ["model.ubj", "MLmodel", "input_example.json"])
def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path, name: str) -> None:
    shutil.move(folder / name, tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert f"{name} leads out of the folder" in refused(folder, tmp_path)


def test_what_is_not_a_file_is_not_read(folder: Path, tmp_path: Path) -> None:
    (folder / "model.ubj").unlink()
    os.mkfifo(folder / "model.ubj")
    assert "model.ubj is not a file" in refused(folder, tmp_path)
    (folder / "model.ubj").unlink()
    (folder / "model.ubj").symlink_to("model.ubj")
    assert "lacks the file model.ubj" in refused(folder, tmp_path)


def test_a_huge_file_is_refused_before_it_is_read(folder: Path, tmp_path: Path) -> None:
    with (folder / "model.ubj").open("ab") as file:
        file.truncate(1 << 31)
    assert "model.ubj has 2147483648 bytes; at most 1073741824 are read" in refused(folder, tmp_path)


def test_a_signature_that_names_other_columns_is_refused(folder: Path, tmp_path: Path) -> None:
    inputs = json.dumps([{"type": "double", "name": name} for name in ("years", "rooms", "attic")])
    describe(folder, lambda found: found["signature"].update(inputs=inputs))
    assert "the model has no feature 'attic'" in refused(folder, tmp_path)
    inputs = json.dumps([{"type": "datetime", "name": "years"}])
    describe(folder, lambda found: found["signature"].update(inputs=inputs))
    assert "the column 'years' is of type datetime" in refused(folder, tmp_path)


def test_a_bundle_is_not_imported_again(tmp_path: Path) -> None:
    manifest = made("import", SAVED / "mlflow-3" / "reg", "--output", tmp_path / "made")
    assert "is a bundle already; publish it" in refused(manifest.directory, tmp_path)
