"""What stands several times in the document stands once, as a component, and is referred to."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Node = dict[str, Any]


class Occurrence(NamedTuple):
    """Where something is described: `holder[key]`. `name` is what its component would be called."""

    holder: Any
    key: Any
    name: str
    operation: str

    @property
    def text(self) -> str:
        return json.dumps(self.holder[self.key], sort_keys=True)


def share(paths: Mapping[str, Mapping[str, Node]], components: dict[str, Node]) -> None:
    """Moves into `components` what operations repeat: first what is within responses, then the responses."""
    operations = [operation for methods in paths.values() for operation in methods.values()]
    for kind, uses in _KINDS.items():
        _share(kind, list(uses(operations, components)), components.setdefault(kind, {}))
        if not components[kind]:
            del components[kind]


def _share(kind: str, uses: list[Occurrence], shared: Node) -> None:
    repeated = {text for text, count in Counter(use.text for use in uses).items() if count > 1}
    names: dict[str, str] = {}
    for use in uses:
        text = use.text
        if text not in repeated:
            continue
        if text not in names:
            names[text] = use.name if use.name not in shared else f"{use.name}.{use.operation}"
            shared[names[text]] = use.holder[use.key]
        use.holder[use.key] = {"$ref": f"#/components/{kind}/{names[text]}"}


def _responses(operations: Iterable[Node], components: Mapping[str, Node]) -> Iterator[tuple[Node, str]]:
    """Each response that is described in full, and the operation that has it."""
    for operation in operations:
        yield from ((response, operation["operationId"]) for response in operation["responses"].values())
    yield from ((response, status) for status, response in components.get("responses", {}).items())


def _headers(operations: Iterable[Node], components: Mapping[str, Node]) -> Iterator[Occurrence]:
    for response, operation in _responses(operations, components):
        headers = response.get("headers", {})
        for name, header in headers.items():
            yield Occurrence(headers, name, name if header["required"] else f"{name}.optional", operation)


def _links(operations: Iterable[Node], components: Mapping[str, Node]) -> Iterator[Occurrence]:
    for response, operation in _responses(operations, components):
        links = response.get("links", {})
        yield from (Occurrence(links, name, link["operationId"], operation) for name, link in links.items())


def _whole_responses(operations: Iterable[Node], components: Mapping[str, Node]) -> Iterator[Occurrence]:
    for operation in operations:
        responses = operation["responses"]
        for status, response in responses.items():
            if "$ref" not in response:
                yield Occurrence(
                    responses, status, f"{operation['operationId']}.{status}", operation["operationId"]
                )


def _parameters(operations: Iterable[Node], components: Mapping[str, Node]) -> Iterator[Occurrence]:
    for operation in operations:
        parameters = operation.get("parameters", [])
        for place, parameter in enumerate(parameters):
            if "$ref" not in parameter:
                yield Occurrence(parameters, place, parameter["name"], operation["operationId"])


_KINDS: Mapping[str, Callable[[Iterable[Node], Mapping[str, Node]], Iterator[Occurrence]]] = {
    "headers": _headers,
    "links": _links,
    "responses": _whole_responses,
    "parameters": _parameters,
}
