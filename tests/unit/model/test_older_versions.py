"""Models that any version of XGBoost saved give the scores that this version gave, to the last bit."""

import json
import tarfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from model.booster import read_booster
from model.bundle import Bundle, Scorer
from model.description.errors import BundleError
from model.description.schema import Schema
from model.engines.xgboost import XGBoostEngine
from model.importing.booster_file import read_model_file
from model.objective import read_objective
from model.preparation import RawColumns
from model.stored.document import read_document
from model.versions import parse
from tests.data.boosters.make import CITIES, NAMES, SCORED
from tests.unit.model.command import made, refusal
from tests.unit.model.stored.mutations import plain, ubjson

SAVED = Path("tests/data/boosters")
INSTALLED = parse(xgboost.__version__)
VECTOR_LEAVES = ("vector-leaves", "vector-classes")
SCHEMA = Schema.from_list([{"name": name, "type": "number", "nullable": True} for name in NAMES])
MISNAMED = "towns"
"""Names that are not ASCII, which XGBoost before 3.4 saves wrongly."""


class SavedModel(NamedTuple):
    version: str
    file: str

    @property
    def kind(self) -> str:
        return self.file.partition(".")[0]

    @property
    def newer(self) -> bool:
        return parse(self.version) > INSTALLED

    @property
    def unreadable(self) -> bool:
        return self.kind in VECTOR_LEAVES and parse(self.version) < (3, 2)

    @property
    def partly_used(self) -> bool:
        """Whether it was stopped early by a version that does not note how many trees count."""
        return self.kind.startswith("stopped") and parse(self.version) < (1, 4)

    def write(self, folder: Path) -> Path:
        file = folder / self.file
        file.write_bytes(archive(self.version)[self.file])
        return file

    @property
    def scores(self) -> NDArray[np.float32]:
        return np.array(json.loads(archive(self.version)["scores.json"])[self.kind], dtype=np.float32)


@cache
def archive(version: str) -> Mapping[str, bytes]:
    with tarfile.open(SAVED / f"{version}.tar.xz") as opened:
        return {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]


def saved_models() -> Iterator[SavedModel]:
    for file in sorted(SAVED.glob("*.tar.xz")):
        version = file.name.removesuffix(".tar.xz")
        for name in archive(version):
            if name != "scores.json":
                yield SavedModel(version, name)


def rows_of(model: SavedModel) -> list[dict[str, Any]]:
    return [
        {name: None if np.isnan(value) else float(value) for name, value in zip(NAMES, row, strict=True)}
        for row in SCORED
    ]


def matrix_of(model: SavedModel) -> NDArray[np.float32]:
    if model.kind != "categories":
        return SCORED
    return np.stack([SCORED[:, 1] % len(CITIES), SCORED[:, 0]], axis=1)


def trees_of(booster: xgboost.Booster) -> int:
    best = booster.attr("best_iteration")
    return booster.num_boosted_rounds() if best is None else int(best) + 1


def import_arguments(model: SavedModel, folder: Path) -> list[str | Path]:
    (folder / "schema.json").write_text(json.dumps(NAMES))
    several = model.kind in ("targets", "labels", "vector-leaves")
    arguments = ["--targets", "one,two"] if several else ["--target", "y"]
    where = ("--schema", folder / "schema.json", "--output", folder / "out", "--name", "m")
    return ["import", model.write(folder), *arguments, *where]


def ids(model: SavedModel) -> str:
    return f"{model.version}-{model.file}"


ALL = [model for model in saved_models() if model.kind != MISNAMED]
READ = [model for model in ALL if not (model.newer or model.unreadable or model.partly_used)]


@pytest.mark.parametrize("model", READ, ids=ids)
def test_a_model_gives_the_scores_of_the_version_that_saved_it(tmp_path: Path, model: SavedModel) -> None:
    read, version = read_model_file(model.write(tmp_path))
    assert version == model.version
    booster = read_booster(bytes(read.save_raw("ubj")), "as it is published")
    objective = read_objective(booster.config, "", version)
    engine = XGBoostEngine(booster, trees_of(read), objective.crossing)
    scorer = Scorer(engine, objective, RawColumns(SCHEMA, None))
    assert np.array_equal(scorer.score(matrix_of(model)), model.scores)


WHOLE = [
    model for model in READ if model.kind in ("trees", "stopped-forest", "targets", "labels", "quantiles")
]


@pytest.mark.parametrize("model", WHOLE, ids=ids)
def test_an_imported_model_gives_the_scores_of_its_version(tmp_path: Path, model: SavedModel) -> None:
    bundle = Bundle.load(made(*import_arguments(model, tmp_path)))
    assert bundle.manifest.xgboost == model.version
    scores = bundle.predict(bundle.manifest.schema.check_rows(rows_of(model)))
    assert scores.dtype == np.float32
    assert np.array_equal(scores, model.scores)


@pytest.mark.parametrize("version", ["3.3.0", "3.4.1"])
def test_a_model_of_a_newer_version_is_refused(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.versions.installed_version", lambda: "3.2.0")
    for file in ("trees.json", "trees.ubj"):
        error = refusal(*import_arguments(SavedModel(version, file), tmp_path))
        assert f"{file}: was saved by XGBoost {version}, and XGBoost 3.2.0 may misread it" in error
        assert f"use XGBoost {version} or newer, which needs Python 3.12 or newer: make clean, then" in error


UNREADABLE = [model for model in ALL if model.unreadable and not model.newer]


@pytest.mark.parametrize("model", UNREADABLE, ids=ids)
def test_vector_leaves_that_would_end_the_process_are_refused(tmp_path: Path, model: SavedModel) -> None:
    error = refusal(*import_arguments(model, tmp_path))
    assert f"has trees with several numbers in a leaf, as XGBoost {model.version} saved them" in error
    assert "train it again with XGBoost 3.2 or newer" in error


@pytest.mark.parametrize("model", [model for model in ALL if model.partly_used], ids=ids)
def test_a_model_that_was_stopped_early_before_1_4_is_refused(tmp_path: Path, model: SavedModel) -> None:
    error = refusal(*import_arguments(model, tmp_path))
    if parse(model.version) < (1, 3):
        assert "adds up in another order, so that only some of its trees cannot be used" in error
    else:
        assert "does not note how many trees each round has; give the number" in error


@pytest.mark.parametrize(("kind", "trees"), [("stopped", 3), ("stopped-forest", 15)])
def test_the_trees_to_use_of_a_model_of_1_3_can_be_given(tmp_path: Path, kind: str, trees: int) -> None:
    model = SavedModel("1.3.3", f"{kind}.json")
    bundle = Bundle.load(made(*import_arguments(model, tmp_path), "--trees", str(trees)))
    scores = bundle.predict(bundle.manifest.schema.check_rows(rows_of(model)))
    assert np.array_equal(scores, model.scores)


@pytest.mark.parametrize("version", ["1.0.2", "1.2.1"])
@pytest.mark.parametrize("option", [("--trees", "2"), ("--base-margin", "exposure")])
def test_a_model_of_before_1_3_is_used_whole_or_not_at_all(
    tmp_path: Path, version: str, option: tuple[str, str]
) -> None:
    error = refusal(*import_arguments(SavedModel(version, "trees.json"), tmp_path), *option)
    assert f"was saved by XGBoost {version}, which adds up in another order" in error


def test_there_are_models_of_each_version_from_1_0() -> None:
    versions = sorted({parse(model.version) for model in ALL})
    assert versions[0] == (1, 0)
    assert versions[-1] == (3, 4)
    assert len(versions) == 15


@pytest.mark.parametrize("version", ["1.4.2", "1.5.2"])
def test_names_that_are_not_ascii_stay_as_they_are(version: str, tmp_path: Path) -> None:
    document = json.loads(archive(version)["trees.json"])
    document["learner"]["feature_names"] = ["größe", "b", "c"]
    file = tmp_path / "m.json"
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    assert read_model_file(file)[0].feature_names == ["größe", "b", "c"]


def test_a_version_that_saved_no_ubjson_is_refused_in_it(tmp_path: Path) -> None:
    file = tmp_path / "m.ubj"
    document = plain(read_document(archive("1.6.2")["trees.ubj"]))
    file.write_bytes(ubjson({**document, "version": [1, 5, 0]}))
    with pytest.raises(BundleError, match=r"is not a complete model of XGBoost 1.5.0"):
        read_model_file(file)
