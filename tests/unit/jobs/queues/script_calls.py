"""Finds the calls of scripts in the Python of jobs/, by its syntax trees."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from jobs.queues.names import BATCH, PREDICTION, Kind
from jobs.queues.scripts import ROOT


class Call(NamedTuple):
    """A call of a script in Python: the file and line, and the names that it passes."""

    where: str
    script: str
    arguments: frozenset[str]
    has_items: bool


class Caller(NamedTuple):
    """A class, the scripts that its attributes are bound to, and its base classes."""

    node: ast.ClassDef
    scripts: dict[str, list[str]]
    bases: list[str]


def scripts_bound_in(node: ast.ClassDef) -> dict[str, list[str]]:
    """The scripts of each attribute that is set by `self._x = Script(redis, name, ...)`.

    In `f"{queue.kind.name}/claim"` the kind is not known: there is a script for each kind.
    """
    bound: dict[str, list[str]] = {}
    for each in ast.walk(node):
        if (
            isinstance(each, ast.Assign)
            and isinstance(each.value, ast.Call)
            and ast.unparse(each.value.func) == "Script"
        ):
            attribute = each.targets[0]
            assert isinstance(attribute, ast.Attribute), ast.unparse(each)
            bound[attribute.attr] = scripts_named(each.value.args[1])
    return bound


def scripts_named(name: ast.expr) -> list[str]:
    if isinstance(name, ast.Constant):
        return [str(name.value)]
    assert isinstance(name, ast.JoinedStr), ast.unparse(name)
    _, ending = name.values
    assert isinstance(ending, ast.Constant)
    return [f"{kind.name}{ending.value!s}" for kind in (PREDICTION, BATCH)]


def callers() -> dict[str, Caller]:
    found: dict[str, Caller] = {}
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(), str(file.relative_to(ROOT)))):
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
                found[node.name] = Caller(node, scripts_bound_in(node), bases)
    return found


def scripts_of(name: str, found: dict[str, Caller]) -> dict[str, list[str]]:
    """The scripts of a class and its bases; those of a class that serves one kind are of that kind."""
    if name not in found:
        return {}
    scripts: dict[str, list[str]] = {}
    for base in found[name].bases:
        scripts |= scripts_of(base, found)
    kinds = [kind.name for kind in (PREDICTION, BATCH) if own_scripts_are_of(kind, found[name])]
    if len(kinds) == 1:
        scripts = {
            attribute: [each for each in bound if len(bound) == 1 or each.startswith(f"{kinds[0]}/")]
            for attribute, bound in scripts.items()
        }
    return scripts | found[name].scripts


def own_scripts_are_of(kind: Kind, caller: Caller) -> bool:
    return any(each.startswith(f"{kind.name}/") for bound in caller.scripts.values() for each in bound)


def calls() -> Iterator[Call]:
    found = callers()
    for name, caller in found.items():
        scripts = scripts_of(name, found)
        for node in ast.walk(caller.node):
            if not isinstance(node, ast.Call) or not (attribute := script_attribute(node)):
                continue
            for script in scripts.get(attribute, ()):
                yield Call(
                    f"{name}:{node.lineno}",
                    script,
                    frozenset(arguments_of(node, caller)),
                    len(node.args) > (1 if ast.unparse(node.func).endswith("add_to") else 0),
                )


def script_attribute(node: ast.Call) -> str:
    """`_claim` of the calls `self._claim(...)` and `self._claim.add_to(...)`."""
    match = re.fullmatch(r"self\.(_\w+)(\.add_to)?", ast.unparse(node.func))
    return match[1] if match else ""


def arguments_of(node: ast.Call, caller: Caller) -> Iterator[str]:
    """The names of keyword arguments; of `**self._x`, the keys of the dict that `_x` is, or returns."""
    for keyword in node.keywords:
        if keyword.arg:
            yield keyword.arg
            continue
        attribute = re.match(r"self\.(\w+)", ast.unparse(keyword.value))
        assert attribute, ast.unparse(keyword.value)
        yield from keys_of(attribute[1], caller.node)


def keys_of(attribute: str, node: ast.ClassDef) -> list[str]:
    values = [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.AnnAssign) and ast.unparse(each.target) == f"self.{attribute}"
    ]
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == attribute]
    values += [each.value for method in methods for each in ast.walk(method) if isinstance(each, ast.Return)]
    [value] = values
    assert isinstance(value, ast.Dict)
    return [ast.literal_eval(key) for key in value.keys if key]
