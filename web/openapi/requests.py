"""What may be sent, for the models of the catalog as it stands: the type that validates, with their rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from model.description.catalog import Catalog
from model.description.errors import UnknownModel
from model.description.manifest import Manifest
from web.body import MOST_ROWS, PredictionBody
from web.openapi.answers import ClosedSchema

Schema = dict[str, Any]


class Requests:
    """Schemas by name, and the names that each version of a model has among them."""

    def __init__(self, catalog: Catalog, manifests: Sequence[Manifest]) -> None:
        self.schemas: dict[str, Schema] = {}
        self.bodies: list[str] = []
        self.examples: dict[str, Any] = {}
        default = _find(catalog, None)
        for manifest in manifests:
            newest = _find(catalog, manifest.name) is manifest
            self._add(manifest, newest, manifest is default)

    def _add(self, manifest: Manifest, newest: bool, default: bool) -> None:
        row, body = name_of("Row", manifest), name_of("Request", manifest)
        self.schemas[row] = {
            "title": f"A row for {manifest.ref}",
            **manifest.schema.to_json_schema(),
            "examples": manifest.examples[:3],
        }
        refs: list[str | None] = [manifest.name, manifest.ref] if newest else [manifest.ref]
        self.schemas[body] = _body(manifest, refs, default, ref_to(row))
        self.bodies.append(body)
        if newest:
            named = {} if default else {"model": manifest.name}
            rows = manifest.examples
            self.examples[manifest.name] = _example(f"{manifest.name}: one row", {**named, "inputs": rows[0]})
            self.examples[f"{manifest.name}-rows"] = _example(
                f"{manifest.name}: a list of rows", {**named, "inputs": rows[:3]}
            )

    @property
    def body(self) -> Schema:
        return {"anyOf": [ref_to(name) for name in self.bodies]}


def name_of(kind: str, manifest: Manifest) -> str:
    return f"{kind}.{manifest.name}.{manifest.version}"


def ref_to(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(manifest: Manifest, refs: list[str | None], default: bool, row: Mapping[str, Any]) -> Schema:
    """PredictionBody with the rows of one model; a body without a model means the default one."""
    schema = PredictionBody.model_json_schema(schema_generator=ClosedSchema)
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MOST_ROWS}
    schema["title"] = f"A request for {manifest.ref}"
    schema["properties"] |= {
        "model": {"enum": [*refs, None] if default else refs},
        "inputs": {"anyOf": [row, rows], "description": "One row, or a list of rows"},
    }
    if not manifest.explained:
        schema["properties"]["explain"] = {"const": False, "default": False}
    schema["required"] = ["inputs"] if default else ["model", "inputs"]
    return schema


def _example(summary: str, value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": value}


def _find(catalog: Catalog, ref: str | None) -> Manifest | None:
    try:
        return catalog.find(ref)
    except UnknownModel:
        return None
