"""Routes: a method of a class, the path that it serves, and its description for OpenAPI, side by side."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

from flask import Response

from web.openapi.operation import Describe, Operation, SameAs

Description: TypeAlias = Operation | Describe | SameAs | None
"""None on what is no part of the API: the page, which people use."""

View: TypeAlias = Callable[..., Response]
"""Takes the ApiRequest, and the variables of the path by name."""
Method = TypeVar("Method", bound=View)


class Route(NamedTuple):
    method: str
    path: str
    """As Flask writes it: variables in angle brackets."""
    operation: Description
    view: View


def route(method: str, path: str, operation: Description) -> Callable[[Method], Method]:
    """Makes a method of a class a route. A method may serve several routes."""

    def mark(view: Method) -> Method:
        marks: Any = view.__dict__.setdefault("routes", [])
        marks.append((method, path, operation))
        return view

    return mark


def routes_of(views: Iterable[object]) -> Iterator[Route]:
    """The routes of instances, or of classes for a description only."""
    for owner in views:
        members: Mapping[str, Any] = vars(owner if isinstance(owner, type) else type(owner))
        for name, member in members.items():
            for method, path, operation in reversed(getattr(member, "routes", ())):
                yield Route(method, path, operation, getattr(owner, name))
