"""Bundles as text for people."""

from collections.abc import Iterator, Sequence
from typing import Any

from model.description.catalog import Catalog
from model.description.feature import Feature
from model.description.manifest import Manifest


def shown(manifest: Manifest) -> str:
    """All that matters of one bundle."""
    lines = [
        f"{manifest.ref}: {manifest.target}{f' in {manifest.unit}' if manifest.unit else ''}",
        f"sha256 {manifest.sha256}",
        f"{manifest.objective}, {manifest.trees} rounds of trees, saved by xgboost {manifest.xgboost}",
    ]
    if manifest.classes:
        lines.append(f"classes: {', '.join(manifest.classes)}")
    if manifest.quantiles:
        lines.append(f"quantiles: {', '.join(map(str, manifest.quantiles))}")
    if manifest.transform:
        lines.append(f"learned as the {manifest.transform} of the target")
    if not manifest.explained:
        lines.append("gives no explanations")
    features = [[feature.name, feature.type, _said(feature)] for feature in manifest.schema.features]
    lines += ["", "features", *_aligned(features), "", "metrics", *_nested(manifest.metrics)]
    lines += ["", "training", *_nested(manifest.training)]
    lines += ["", f"{len(manifest.golden.rows)} golden rows"]
    return "\n".join(lines)


def listed(catalog: Catalog) -> str:
    """A line for each version, and one for each bundle that cannot be served."""
    lines = []
    for name in catalog.names():
        for version in catalog.versions(name):
            manifest = catalog.find(f"{name}@{version}")
            lines.append([manifest.ref, manifest.target, manifest.objective, manifest.sha256[:12]])
    broken = [f"left out: {problem}" for problem in catalog.problems.values()]
    return "\n".join([*_aligned(lines), *broken]) or "nothing is published here"


def _said(feature: Feature) -> str:
    said = []
    if feature.base_margin:
        said.append("base margin")
    if feature.nullable:
        said.append("may be missing")
    if feature.categories:
        said.append("one of " + ", ".join(feature.categories))
    if feature.minimum is not None:
        said.append(f"at least {feature.minimum:g}")
    if feature.maximum is not None:
        said.append(f"at most {feature.maximum:g}")
    if feature.observed:
        said.append(f"seen {feature.observed['minimum']:g} to {feature.observed['maximum']:g}")
    if feature.description:
        said.append(feature.description)
    return "; ".join(said)


def _nested(values: Any, indent: str = "  ") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _nested(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value}"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
