"""Writes bundles and publishes them: completely or not at all, and never over an existing version.

A bundle gets its version when it is written. The sha256 covers it, so publishing changes neither.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.booster import read_booster
from model.bundle import Bundle, RowEncoder, Scorer
from model.description.errors import BundleError
from model.description.files import DESCRIPTION_FILE, MODEL_FILE, REPORT_FILE
from model.description.lifecycle import next_version
from model.description.manifest import Manifest, digest
from model.description.schema import Schema
from model.engines.xgboost import EngineError, XGBoostEngine, installed_version
from model.finishing import finish_of
from model.objective import EXPECTILE, read_objective
from model.preparation import preparation_of
from model.registry.directory import DirectoryRegistry
from model.registry.interface import Registry, VersionExists

if TYPE_CHECKING:  # training and import have XGBoost's Python layer
    import xgboost


class PublishedBundle(NamedTuple):
    ref: str
    sha256: str


def publish(
    root: Path,
    booster: "xgboost.Booster",
    description: Mapping[str, Any],
    golden_rows: list[dict[str, Any]],
    newest_elsewhere: int = 0,
) -> Manifest:
    """Write `<root>/<name>/<version>/` after a test load; writing the same bundle again changes nothing.

    `description` is `bundle.json` without what is read from the model: objective, quantiles, explained,
    golden (but for its `probes`) and sha256. Its `xgboost` is the version whose scores are wanted: the
    installed one if it is left out. Without a version the bundle gets the next one after those in `root` and
    `newest_elsewhere`. Raises BundleError, SchemaError, InvalidRows or RegistryUnavailable.
    """
    version = description.get("version")
    with tempfile.TemporaryDirectory(prefix="paygrade-") as folder:
        draft = Path(folder)
        _write(draft, booster, {**description, "version": version or 1}, golden_rows)
        manifest = Manifest.read(draft)
        Bundle.load(manifest)
        registry = DirectoryRegistry(root, create=True)
        written = _put(manifest, registry) if version else _put_next(manifest, registry, newest_elsewhere)
    return Manifest.read(root / manifest.name / str(written))


def publish_copy(directory: Path, registry: Registry, version: int | None = None) -> PublishedBundle:
    """Publish an existing bundle after a test load.

    With `version` a copy of that number is published, which has another sha256. Publishing a bundle again
    changes nothing, but its report is replaced. A copy has no report, since that names another bundle. Raises
    BundleError or RegistryUnavailable.
    """
    original = Manifest.read(directory)
    Bundle.load(original)
    with tempfile.TemporaryDirectory(prefix="paygrade-") as folder:
        draft = Path(folder)
        for file in (DESCRIPTION_FILE, MODEL_FILE):
            shutil.copyfile(directory / file, draft / file)
        if version:
            _renumber(draft, version)
        manifest = Manifest.read(draft)
        _put(manifest, registry)
    report = directory / REPORT_FILE
    if manifest.sha256 == original.sha256 and report.is_file():
        registry.put_report(manifest.name, manifest.version, report.read_bytes())
    return PublishedBundle(manifest.ref, manifest.sha256)


def _put(manifest: Manifest, registry: Registry) -> int:
    """Publish a bundle under its own version, unless it is there already; raises BundleError."""
    name, version = manifest.name, manifest.version
    lifecycle = registry.read_lifecycle(name)
    if version in lifecycle.deleted:
        raise BundleError(_taken(manifest, registry, "was deleted there, and its number is never used again"))
    try:
        registry.put(manifest.directory, name, version)
    except VersionExists:
        if _published_sha256(registry, name, version) != manifest.sha256:
            reason = "is already published there and differs, and a published version never changes"
            raise BundleError(_taken(manifest, registry, reason)) from None
    return version


def _put_next(manifest: Manifest, registry: Registry, newest_elsewhere: int) -> int:
    """Publish a draft as the next version, unless it equals the newest one apart from its number."""
    name, draft = manifest.name, manifest.directory
    while True:
        published, lifecycle = registry.contents().versions(name), registry.read_lifecycle(name)
        if published and _published_sha256(registry, name, published[-1]) == _renumber(draft, published[-1]):
            return published[-1]
        version = next_version([*published, newest_elsewhere], lifecycle)
        _renumber(draft, version)
        try:
            registry.put(draft, name, version)
        except VersionExists:  # another process was faster
            continue
        return version


def _taken(manifest: Manifest, registry: Registry, reason: str) -> str:
    name = manifest.name
    free = next_version(registry.contents().versions(name), registry.read_lifecycle(name))
    return f"{manifest.ref} {reason}; --version {free} publishes a copy of it, with a sha256 of its own"


def shortest(scores: NDArray[np.float32]) -> list[Any]:
    """Convert float32 to the shortest numbers that read back the same: 260.00012, not 260.0001220703125."""
    if scores.ndim > 1:
        return [shortest(row) for row in scores]
    return [float(str(score)) for score in scores]


def _published_sha256(registry: Registry, name: str, version: int) -> str:
    """Return the sha256 of a published bundle, or "" if it cannot be read."""
    for ref in registry.contents().bundles:
        if (ref.name, ref.version) == (name, str(version)):
            try:
                return registry.read(ref).sha256
            except BundleError:
                return ""
    return ""


def _renumber(draft: Path, version: int) -> str:
    """Set the version of a draft, and sign it again; returns its sha256."""
    file = draft / DESCRIPTION_FILE
    description = json.loads(file.read_text(encoding="utf-8"))
    if description["version"] != version:
        _sign({**description, "version": version}, draft)
    return Manifest.read(draft).sha256


def _write(
    directory: Path,
    booster: "xgboost.Booster",
    description: Mapping[str, Any],
    golden_rows: list[dict[str, Any]],
) -> None:
    ref = f"{description['name']}@{description['version']}"
    version = description.get("xgboost") or installed_version()
    model = directory / MODEL_FILE
    booster.save_model(model)
    schema = Schema.from_list(description["features"])
    matrix = RowEncoder(schema).encode(schema.check_rows(golden_rows, "/golden/rows"))
    # Score with the saved model, since a parameter of training may not be saved.
    saved = read_booster(model.read_bytes(), ref)
    objective = read_objective(saved.config, ref, version)
    preparation = preparation_of(schema, description.get("missing"))
    finish = finish_of(description.get("transform", ""), description.get("transform_type", "float64"))
    engine = XGBoostEngine(saved, description["trees"], objective.crossing)
    scorer = Scorer(engine, objective, preparation, finish)
    complete = {
        **description,
        "objective": objective.name,
        **({"quantiles": list(objective.quantiles)} if objective.quantiles else {}),
        **_explained(scorer, matrix),
        "xgboost": version,
        "golden": {
            **description.get("golden", {}),
            "rows": golden_rows,
            "predictions": shortest(scorer.score(matrix)),
        },
    }
    _sign(complete, directory)


def _sign(description: Mapping[str, Any], directory: Path) -> None:
    """Write the description of the model in `directory`, with the sha256 of both."""
    unsigned = {name: value for name, value in description.items() if name != "sha256"}
    signed = {**unsigned, "sha256": digest(unsigned, directory / MODEL_FILE)}
    text = json.dumps(signed, indent=2, ensure_ascii=False) + "\n"
    (directory / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def _explained(scorer: Scorer, matrix: NDArray[np.float32]) -> dict[str, Any]:
    """Return what the description says of explanations, if the model has none."""
    if scorer.objective.targets > 1:
        return {"explained": False, "unexplained": "it predicts several targets"}
    if scorer.objective.name == EXPECTILE and scorer.objective.quantiles:
        return {"explained": False, "unexplained": "its expectiles build on one another"}
    try:
        scorer.explain(matrix[:1])
    except EngineError:  # before 3.3
        return {"explained": False, "unexplained": "its trees have several numbers in a leaf"}
    return {}
