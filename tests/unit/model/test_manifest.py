"""A description is accepted only if it is complete, valid and signed."""

import json
from pathlib import Path

import pytest

from model.description.errors import BundleError
from model.description.files import DESCRIPTION_FILE, MODEL_FILE
from model.description.manifest import Manifest
from tests.unit.model.conftest import Publish, rewrite


def refusal(directory: Path) -> str:
    with pytest.raises(BundleError) as refused:
        Manifest.read(directory)
    message = str(refused.value)
    assert message.startswith(str(directory))
    assert "\n" not in message
    return message


def test_a_manifest_holds_what_was_published(publish_rent: Publish, tmp_path: Path) -> None:
    manifest = publish_rent(version=12, trees=7)
    assert manifest.ref == "rent@12"
    assert manifest.directory == tmp_path / "rent" / "12"
    assert (manifest.target, manifest.unit, manifest.objective) == ("rent", "euros", "reg:squarederror")
    assert manifest.schema.names == ("rooms",)
    assert manifest.trees == 7
    assert manifest.golden.rows == [[1.0], [2.5], [None]]


def test_a_bundle_edited_by_hand_is_refused(publish_rent: Publish) -> None:
    directory = publish_rent().directory
    description = (directory / DESCRIPTION_FILE).read_text()
    (directory / DESCRIPTION_FILE).write_text(description.replace("euros", "dollars"))
    assert "sha256 does not match" in refusal(directory)


def test_a_changed_model_is_refused(publish_rent: Publish) -> None:
    directory = publish_rent().directory
    model = (directory / MODEL_FILE).read_bytes()
    (directory / MODEL_FILE).write_bytes(model[:-1])
    assert "sha256 does not match" in refusal(directory)


def test_the_layout_of_the_description_does_not_matter(publish_rent: Publish) -> None:
    manifest = publish_rent()
    file = manifest.directory / DESCRIPTION_FILE
    reordered = dict(reversed(json.loads(file.read_text()).items()))
    file.write_text(json.dumps(reordered))
    assert Manifest.read(manifest.directory).sha256 == manifest.sha256


def test_a_pickle_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04.")
    message = refusal(tmp_path)
    assert "model.pkl is a pickle, and reading a pickle can run code" in message
    assert 'booster.save_model("model.ubj")' in message


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "rent" / "1") == (
        f"{tmp_path}/rent/1: there is no such directory; a bundle is one, with model.ubj and bundle.json"
    )


def test_a_missing_file_is_named(publish_rent: Publish) -> None:
    directory = publish_rent().directory
    (directory / DESCRIPTION_FILE).unlink()
    assert "has no bundle.json" in refusal(directory)
    (directory / MODEL_FILE).unlink()
    assert "has no model.ubj" in refusal(directory)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"trees": NaN}', "\udcff"])
def test_a_description_that_is_not_json_is_refused(publish_rent: Publish, text: str) -> None:
    directory = publish_rent().directory
    (directory / DESCRIPTION_FILE).write_text(text, errors="surrogateescape")
    assert "is not JSON" in refusal(directory)


def test_a_description_must_be_an_object(publish_rent: Publish) -> None:
    directory = publish_rent().directory
    (directory / DESCRIPTION_FILE).write_text("[]")
    assert "must hold an object" in refusal(directory)


def test_a_missing_field_is_named(publish_rent: Publish) -> None:
    directory = publish_rent().directory
    file = directory / DESCRIPTION_FILE
    description = json.loads(file.read_text())
    del description["unit"]
    file.write_text(json.dumps(description))
    assert "lacks the field unit" in refusal(directory)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "Rent", "name must have 1 to 63 characters"),
        ("name", "../rent", "name must have 1 to 63 characters"),
        ("version", 0, "version must be 1 or more"),
        ("version", True, "version must be a whole number"),
        ("trees", 1.5, "trees must be a whole number"),
        ("unit", None, "unit must be text"),
        ("metrics", [], "metrics must be an object"),
        ("features", [{"name": "rooms"}], "feature 'rooms' must have one of the types"),
        ("colour", "blue", "unknown field: colour"),
        ("missing_texts", "NA", "missing_texts must be a list"),
        ("missing_texts", ["NA", " "], "missing_texts must be texts, none of them empty"),
        (
            "features",
            [{"name": "rooms", "type": "category", "categories": ["1"], "unseen": "unknown"}],
            "feature 'rooms': unseen: unknown needs a bundle with steps",
        ),
        ("classes", ["a", "a"], "classes must be texts, each different"),
        ("classes", "ab", "classes must be a list"),
        ("quantiles", [0.5, 1], "quantiles must be numbers between 0 and 1"),
        ("transform", "cbrt", "transform must be one of log, log1p, sqrt, logit"),
        ("explained", 1, "explained must be true or false"),
        (
            "golden",
            {"rows": [{"rooms": 1}], "predictions": [[1, None]]},
            "golden predictions must be numbers",
        ),
        ("golden", {"rows": []}, "golden must hold the lists"),
        ("golden", {"rows": [], "predictions": []}, "at least one row"),
        (
            "golden",
            {"rows": [{"rooms": 1}], "predictions": [1, 2]},
            "not 1 rows and 2 predictions",
        ),
        ("golden", {"rows": [{"rooms": 1}], "predictions": ["1"]}, "golden predictions must be numbers"),
        ("golden", {"rows": [{"rooms": "x"}], "predictions": [1]}, "/golden/rows/0/rooms must be a number"),
    ],
)
def test_an_invalid_field_is_named(publish_rent: Publish, field: str, value: object, message: str) -> None:
    directory = publish_rent().directory
    rewrite(directory, **{field: value})
    assert message in refusal(directory)
