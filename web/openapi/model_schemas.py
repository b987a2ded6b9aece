"""What may be sent for the models in the catalog: the type that validates requests, with their rows."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from model.description.catalog import Catalog
from model.description.errors import UnknownModel
from model.description.manifest import Manifest
from web.openapi.operation import ref_to
from web.openapi.parameters import in_path
from web.openapi.rows import row_schema
from web.openapi.schemas import ClosedSchema
from web.requests import MAX_ROWS, PredictionBody

JsonSchema = dict[str, Any]
REFS = "ModelRef"
"""The component that lists what a model may be called by."""


class ModelSchemas:
    """`schemas` are components by name, `examples` are requests by name.

    Versions of a model that take the same rows have one schema.
    """

    def __init__(self, catalog: Catalog, manifests: tuple[Manifest, ...]) -> None:
        self.manifests = manifests
        self.examples: dict[str, Any] = {}
        self._catalog = catalog
        self._default = _find(catalog, None)
        self._rows: dict[str, str] = {}
        self._bodies: list[str] = []
        self.schemas: dict[str, JsonSchema] = {REFS: {"enum": sorted(self._refs())}}
        if manifests:
            self.schemas |= _options()
        for alike in sorted(_alike(manifests), key=lambda alike: self._default not in alike):
            self._add(alike)

    @property
    def in_path(self) -> JsonSchema:
        """The parameter that names a model."""
        described = "Name of a model, for its newest version, or name@version, or name@alias"
        return in_path("name", described, ref_to(REFS))

    @property
    def body(self) -> JsonSchema:
        return {"anyOf": [ref_to(name) for name in self._bodies]}

    def row(self, manifest: Manifest) -> JsonSchema:
        return ref_to(self._rows[manifest.ref])

    def preferred(self, name: str) -> Manifest | None:
        try:
            return self._catalog.find_preferred(name)
        except UnknownModel:
            return None

    def newest(self, name: str) -> Manifest | None:
        return next((manifest for manifest in self.manifests if manifest.name == name), None)

    def _refs(self) -> Iterable[str]:
        return (ref for manifest in self.manifests for ref in self._refs_of(manifest))

    def _refs_of(self, manifest: Manifest) -> list[str]:
        """All that requests may call this version, the shortest first."""
        newest = [manifest.name] if _find(self._catalog, manifest.name) is manifest else []
        aliases = self._catalog.aliases(manifest.name).items()
        named = (f"{manifest.name}@{alias}" for alias, version in aliases if version == manifest.version)
        return [*newest, manifest.ref, *named]

    def _add(self, alike: list[Manifest]) -> None:
        first = alike[0]
        row, body = component_name("Row", first), component_name("Request", first)
        example = {"examples": first.examples[:1]} if first.examples else {}
        self.schemas[row] = {**row_schema(first.schema.features), **example}
        self._rows |= dict.fromkeys((manifest.ref for manifest in alike), row)
        default = any(manifest is self._default for manifest in alike)
        refs = [ref for manifest in alike for ref in self._refs_of(manifest)]
        self.schemas[body] = _body(first, refs, default, ref_to(row))
        self._bodies.append(body)
        newest = _find(self._catalog, first.name)
        if newest in alike and newest.examples:
            self._add_examples(newest, {} if newest is self._default else {"model": newest.name})

    def _add_examples(self, manifest: Manifest, named: Mapping[str, str]) -> None:
        rows = manifest.examples
        for suffix, summary, inputs in (("", "one row", rows[0]), ("-rows", "a list of rows", rows[:2])):
            self.examples[f"{manifest.name}{suffix}"] = {
                "summary": f"{manifest.name}: {summary}",
                "value": {**named, "inputs": inputs},
            }


def component_name(kind: str, manifest: Manifest) -> str:
    return f"{kind}.{manifest.name}.{manifest.version}"


def _alike(manifests: Iterable[Manifest]) -> list[list[Manifest]]:
    """The versions of each model, newest first, those together that take the same."""
    groups: dict[tuple[str, str, bool], list[Manifest]] = {}
    for manifest in manifests:
        row = json.dumps(row_schema(manifest.schema.features), sort_keys=True)
        groups.setdefault((manifest.name, row, manifest.explained), []).append(manifest)
    return list(groups.values())


def _options() -> dict[str, JsonSchema]:
    """What any request may have besides its model and its inputs, by the names of the components."""
    schema = PredictionBody.model_json_schema(schema_generator=ClosedSchema)
    members = schema["properties"].items()
    return {name.title(): member for name, member in members if name not in ("model", "inputs")}


def _body(manifest: Manifest, refs: list[str], default: bool, row: JsonSchema) -> JsonSchema:
    """PredictionBody with the rows of one model. A body that names no model means the default one."""
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MAX_ROWS}
    options = {name.lower(): ref_to(name) for name in _options()}
    if not manifest.explained:
        options["explain"] = {"const": False}
    return {
        "type": "object",
        "properties": {
            "model": {"enum": [*refs, None] if default else refs},
            "inputs": {"anyOf": [row, rows]},
            **options,
        },
        "required": ["inputs"] if default else ["model", "inputs"],
        "additionalProperties": False,
    }


def _find(catalog: Catalog, ref: str | None) -> Manifest | None:
    try:
        return catalog.find(ref)
    except UnknownModel:
        return None
