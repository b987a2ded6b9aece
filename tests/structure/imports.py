"""The imports between the product's files, without those that only a type checker follows."""

from collections.abc import Iterator
from functools import cache

import grimp

from tests.structure.code import PARTS


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PARTS, cache_dir=None, exclude_type_checking_imports=True)


def arrows_between_rooms(package: str) -> set[tuple[str, str]]:
    """From each file or folder directly in the package to those that it imports from."""
    arrows = (
        (_room(module, package), _room(imported, package))
        for module in graph().modules
        for imported in graph().find_modules_directly_imported_by(module)
    )
    return {(a, b) for a, b in arrows if a and b and a != b}


def circles(imported_by: dict[str, set[str]]) -> Iterator[list[str]]:
    """Each set of modules that import each other, directly or through others."""
    reached = {module: _reachable(module, imported_by) for module in imported_by}
    found = set()
    for module in sorted(imported_by):
        circle = {other for other in reached[module] if module in reached.get(other, ())}
        if circle and module not in found:
            found |= circle
            yield sorted(circle)


def imports_of_product() -> dict[str, set[str]]:
    return {module: graph().find_modules_directly_imported_by(module) for module in graph().modules}


def _room(module: str, package: str) -> str:
    """Empty outside the package, and for the package itself."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == package else ""


def _reachable(module: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports[module])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += imports.get(one, ())
    return found
