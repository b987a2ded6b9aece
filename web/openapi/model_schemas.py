"""What may be sent for the models in the catalog: the type that validates requests, with their rows."""

from collections.abc import Mapping
from typing import Any

from model.description.catalog import Catalog
from model.description.errors import UnknownModel
from model.description.manifest import Manifest
from web.openapi.markdown import with_plain_description
from web.openapi.operation import ref_to
from web.openapi.schemas import ClosedSchema
from web.requests import MAX_ROWS, PredictionBody

JsonSchema = dict[str, Any]


class ModelSchemas:
    """`schemas` are components by name, `examples` are requests by name."""

    def __init__(self, catalog: Catalog, manifests: tuple[Manifest, ...]) -> None:
        self.manifests = manifests
        self.schemas: dict[str, JsonSchema] = {}
        self.examples: dict[str, Any] = {}
        self._bodies: list[str] = []
        self._catalog = catalog
        default = _find(catalog, None)
        for manifest in manifests:
            newest = _find(catalog, manifest.name) is manifest
            self._add(manifest, newest, manifest is default)

    @property
    def body(self) -> JsonSchema:
        return {"anyOf": [ref_to(name) for name in self._bodies]}

    def refs_of(self, manifest: Manifest) -> list[str]:
        """All that requests may call this version, the shortest first."""
        newest = [manifest.name] if self.newest(manifest.name) is manifest else []
        return [*newest, manifest.ref, *(f"{manifest.name}@{alias}" for alias in self.aliases_of(manifest))]

    def aliases_of(self, manifest: Manifest) -> list[str]:
        named = self._catalog.aliases(manifest.name).items()
        return [alias for alias, version in named if version == manifest.version]

    def preferred(self, name: str) -> Manifest | None:
        try:
            return self._catalog.find_preferred(name)
        except UnknownModel:
            return None

    def newest(self, name: str) -> Manifest | None:
        return next((manifest for manifest in self.manifests if manifest.name == name), None)

    def _add(self, manifest: Manifest, newest: bool, default: bool) -> None:
        row, body = component_name("Row", manifest), component_name("Request", manifest)
        described = manifest.schema.to_json_schema()
        properties = {name: with_plain_description(each) for name, each in described["properties"].items()}
        self.schemas[row] = {
            "title": f"A row for {manifest.ref}",
            **described,
            "properties": properties,
            **({"examples": manifest.examples[:3]} if manifest.examples else {}),
        }
        self.schemas[body] = _body(manifest, self.refs_of(manifest), default, ref_to(row))
        self._bodies.append(body)
        if newest and manifest.examples:
            named = {} if default else {"model": manifest.name}
            rows = manifest.examples
            for suffix, summary, inputs in (("", "one row", rows[0]), ("-rows", "a list of rows", rows[:3])):
                self.examples[f"{manifest.name}{suffix}"] = {
                    "summary": f"{manifest.name}: {summary}",
                    "value": {**named, "inputs": inputs},
                }


def component_name(kind: str, manifest: Manifest) -> str:
    return f"{kind}.{manifest.name}.{manifest.version}"


def _body(manifest: Manifest, refs: list[str], default: bool, row: Mapping[str, Any]) -> JsonSchema:
    """PredictionBody with the rows of one model. A body that names no model means the default one."""
    schema = PredictionBody.model_json_schema(schema_generator=ClosedSchema)
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MAX_ROWS}
    schema["title"] = f"A request for {manifest.ref}"
    schema["properties"] |= {
        "model": {"enum": [*refs, None] if default else refs},
        "inputs": {"anyOf": [row, rows], "description": "One row, or a list of rows"},
    }
    if not manifest.explained:
        schema["properties"]["explain"] = {"const": False, "default": False}
    schema["required"] = ["inputs"] if default else ["model", "inputs"]
    return schema


def _find(catalog: Catalog, ref: str | None) -> Manifest | None:
    try:
        return catalog.find(ref)
    except UnknownModel:
        return None
