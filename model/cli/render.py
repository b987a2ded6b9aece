"""Text for people: one bundle, all bundles, metrics."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model.description.catalog import Catalog
from model.description.features import Feature
from model.description.manifest import Manifest

PROOFS = {"": "trained here", "scores": "proved by scores", "target": "measured on its target"}


def render_bundle(manifest: Manifest) -> str:
    """Describe one bundle: target, features, metrics, training and golden rows."""
    lines = [
        f"{manifest.ref}: {manifest.target}{f' in {manifest.unit}' if manifest.unit else ''}",
        f"sha256 {manifest.sha256}",
        f"{manifest.objective}, {_rounds(manifest)} of trees, saved by xgboost {manifest.xgboost}",
    ]
    if manifest.classes:
        lines.append(f"classes: {', '.join(manifest.classes)}")
    if manifest.targets:
        lines.append(f"targets: {', '.join(manifest.targets)}")
    if manifest.quantiles:
        lines.append(f"quantiles: {', '.join(map(str, manifest.quantiles))}")
    if manifest.transform:
        lines.append(f"trained on the {manifest.transform} of the target")
    if not manifest.explained:
        reason = f": {manifest.unexplained}" if manifest.unexplained else ""
        lines.append(f"cannot be explained{reason}")
    if manifest.missing is not None:
        lines.append(f"{manifest.missing:g} stands for a missing value")
    lines.append(render_proof(manifest))
    lines += ["", "features", render_features(manifest), "", "metrics", *_nested(manifest.metrics)]
    lines += ["", "training", *_nested(manifest.training)]
    lines += ["", f"{len(manifest.golden.rows)} golden rows"]
    return "\n".join(lines)


def render_features(manifest: Manifest) -> str:
    """Make a table with a line for each feature."""
    features = [[feature.name, feature.type, _notes(feature)] for feature in manifest.schema.features]
    return "\n".join(text_table(features))


def render_proof(manifest: Manifest) -> str:
    """Say what the scores were compared with before the bundle was made."""
    proof = manifest.proof
    match proof.get("kind"):
        case None:
            return "trained here"
        case "scores":
            return f"proved by its author's scores of {proof['rows']} rows" if "rows" in proof else "proved"
        case "target":
            return f"measured on {proof['rows']} rows, but not compared with its author's scores"
        case _:
            return "not proved: its scores were compared with nothing"


def render_catalog(catalog: Catalog) -> str:
    """List each version on a line with its aliases, and then each bundle that cannot be served."""
    rows = []
    for manifest in catalog.manifests():
        named = catalog.aliases(manifest.name).items()
        aliases = ", ".join(alias for alias, version in named if version == manifest.version)
        said = PROOFS.get(manifest.proof.get("kind", ""), "not proved")
        row = [manifest.ref, manifest.target, manifest.objective, said, manifest.sha256[:12], aliases]
        rows.append(row)
    retired = [f"retired: {manifest.ref}" for manifest in catalog.retired()]
    problems = [f"not served: {problem}" for problem in catalog.problems.values()]
    return "\n".join([*text_table(rows), *retired, *problems]) or "no bundles are published here"


def render_written(manifest: Manifest) -> str:
    """Say where a bundle is."""
    return f"{manifest.ref} is in {manifest.directory} (sha256 {manifest.sha256})"


def render_metrics(metrics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Make a table with a line for each model and a column for each metric."""
    names = list(dict.fromkeys(name for measured in metrics.values() for name in measured))
    rows = [["", *(name.replace("_", " ") for name in names)]]
    for model, measured in metrics.items():
        rows.append([model, *(_mean_and_deviation(measured.get(name)) for name in names)])
    return "\n".join(text_table(rows, indent=""))


def _rounds(manifest: Manifest) -> str:
    trained = manifest.training.get("rounds", manifest.trees)
    return f"{manifest.trees} {'' if trained == manifest.trees else f'of {trained} '}rounds"


def _mean_and_deviation(spread: Mapping[str, float] | None) -> str:
    return f"{spread['mean']:.4g} ± {spread['deviation']:.2g}" if spread else ""


def _notes(feature: Feature) -> str:
    notes = []
    if feature.base_margin:
        notes.append("base margin")
    if feature.zero_is_missing:
        notes.append("0 is missing")
    if feature.nullable:
        notes.append("may be missing")
    if feature.categories:
        notes.append("one of " + ", ".join(feature.categories))
    if feature.minimum is not None:
        notes.append(f"at least {feature.minimum:g}")
    if feature.maximum is not None:
        notes.append(f"at most {feature.maximum:g}")
    if feature.observed:
        lowest, highest = feature.observed["minimum"], feature.observed["maximum"]
        notes.append(f"{lowest:g} to {highest:g} in training")
    if feature.description:
        notes.append(feature.description)
    return "; ".join(notes)


def _nested(values: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _nested(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value}"


def text_table(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Pad the cells so that columns line up."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
