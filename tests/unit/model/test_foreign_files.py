"""A file that is no saved XGBoost model is told apart without reading it, with the way that works."""

import bz2
import gzip
import lzma
import pickle
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.importing.foreign_files import problem_of
from tests.unit.model.command import refusal
from tests.unit.model.test_older_versions import archive

BOOSTERS = Path("tests/data/boosters")
BOOSTER = xgboost.Booster(model_file=bytearray(archive("2.1.4")["trees.ubj"]))
PIPELINE = make_pipeline(StandardScaler(), xgboost.XGBRegressor())
COMPRESSIONS: list[Callable[[bytes], bytes]] = [
    bytes,
    zlib.compress,
    gzip.compress,
    bz2.compress,
    lzma.compress,
]


def refused(folder: Path, content: bytes) -> str:
    (folder / "model.ubj").write_bytes(content)
    error = refusal("import", folder / "model.ubj", "--output", folder / "out")
    assert not (folder / "out").exists()
    return error


def object_of(module: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make an object as if it came from a package that is not installed."""
    made = ModuleType(module)
    kind = type("Model", (), {"__module__": module})
    made.Model = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.partition(".")[0], ModuleType(module.partition(".")[0]))
    monkeypatch.setitem(sys.modules, module, made)
    return kind()


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_pickled_pipeline_is_saved_as_a_bundle_where_it_was_made(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    error = refused(tmp_path, compress(pickle.dumps(PIPELINE)))
    assert "is a pickled scikit-learn model, and reading a pickle can run code" in error
    assert 'in its own environment, load it and run paygrade.save(pipeline, "bundle/",' in error


def test_another_pickled_estimator_is_saved_as_a_bundle_too(tmp_path: Path) -> None:
    error = refused(tmp_path, pickle.dumps(LinearRegression()))
    assert "is a pickled scikit-learn model" in error
    assert "paygrade.save(" in error


@pytest.mark.parametrize("fitted", [xgboost.XGBRegressor(), BOOSTER])
def test_a_pickled_xgboost_model_is_saved_by_its_own_command(tmp_path: Path, fitted: Any) -> None:
    error = refused(tmp_path, pickle.dumps(fitted))
    assert "is a pickled XGBoost model, and reading a pickle can run code" in error
    assert 'booster.save_model("model.json")' in error


@pytest.mark.parametrize(
    ("module", "name"), [("lightgbm.sklearn", "LightGBM"), ("catboost.core", "CatBoost")]
)
def test_a_pickled_model_of_another_library_is_named(
    tmp_path: Path, module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refused(tmp_path, zlib.compress(pickle.dumps(object_of(module, monkeypatch))))
    assert f"is a pickled {name} model, and only XGBoost models are supported; train it again" in error


def test_a_pickle_of_anything_is_never_read(tmp_path: Path) -> None:
    error = refused(tmp_path, pickle.dumps({"model": 1}))
    assert "is a pickle, and reading a pickle can run code; load it in its own environment, and save" in error


@pytest.mark.parametrize("version", ["0.90", "1.5.2"])
def test_the_old_binary_format_is_saved_again_as_json(tmp_path: Path, version: str) -> None:
    error = refused(tmp_path, (BOOSTERS / f"binary-{version}.ubj").read_bytes())
    assert (
        "is in the binary format that XGBoost 3.1 removed; load it with any XGBoost from 1.0 to 3.0" in error
    )
    assert 'save the model with booster.save_model("model.json")' in error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"tree\nversion=v4\n", "is a LightGBM model, and only XGBoost models are supported"),
        (b"CBM1....", "is a CatBoost model"),
        (b"[{}]", "is a dump of trees"),
        (b"booster[0]:\n0:[f0<17] yes=1", "is a dump of trees"),
        (b"\x08\x09\x12\x0bonnxmltools\x1a", "is an ONNX model"),
        (b"PK\x03\x04....", "is a zip archive"),
        (b"PAR1....", "is a Parquet table"),
        (b'<?xml version="1.0"?><PMML>', "is XML (PMML?)"),
        (b"\x89HDF\r\n", "is an HDF5 file (Keras?)"),
        (gzip.compress(b"{}", mtime=0), "is a compressed file; unpack it"),
        (b"\x1f\x8b broken", "is a compressed file; unpack it"),
        (b"x", "is not a complete XGBoost model"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in refused(tmp_path, content)


def test_a_small_file_that_unpacks_to_much_is_only_begun() -> None:
    assert "is a compressed file" in problem_of(zlib.compress(bytes(np.zeros(10**8, np.uint8))))
