"""The product is built of small rooms with few arrows between them."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.structure.code import ROOT, name_of, python_files
from tests.structure.imports import arrows_between_rooms, circles, imports_of_product

MOST_ROOMS_IN_JOBS = 15
MOST_ARROWS_IN_JOBS = 30
MOST_LINES_OF_A_FUNCTION = 40

Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def nodes(file: Path) -> Iterator[Node]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, Node):
            yield node


def test_jobs_has_few_rooms_and_few_arrows_between_them() -> None:
    rooms = [one for one in (ROOT / "jobs").iterdir() if one.name != "__pycache__"]
    assert len(rooms) <= MOST_ROOMS_IN_JOBS, sorted(rooms)
    arrows = arrows_between_rooms("jobs")
    assert ("settings", "errors") in arrows
    assert len(arrows) <= MOST_ARROWS_IN_JOBS, sorted(arrows)


def test_a_circle_of_imports_is_found() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set[str](), "e": {"e"}}
    assert list(circles(imports)) == [["a", "b", "c"], ["e"]]


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = imports_of_product()
    assert "jobs.errors" in imports["jobs.settings"]
    assert list(circles(imports)) == []


def test_every_function_is_short() -> None:
    long = [
        f"{name_of(file)}:{node.lineno} {node.name}"
        for file in python_files()
        for node in nodes(file)
        if not isinstance(node, ast.ClassDef) and _lines(node) > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_every_public_class_has_a_name_of_its_own() -> None:
    homes = defaultdict(list)
    for file in python_files():
        for node in nodes(file):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name_of(file))
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


UNSUPERVISED = {
    "jobs/supervision.py": "starts what is supervised",
    "jobs/tracing.py": "ends with the process, for which a collector that does not answer is not waited for",
    "worker/child_worker.py": "end_with_parent ends the process, whatever happens",
    "web/prediction_submission.py": "try_wake_up has no error",
    "web/submission.py": "GroupCommit gives each error to its callers",
    "web/batch_submission.py": "try_wake_up has no error",
    "web/webhooks/sender.py": "an attempt that breaks off is logged, and made again when its lease is over",
    "web/server.py": "the process is about to end",
}
"""Files that start threads or greenlets of their own, and why nobody need watch these."""


def test_what_runs_in_the_background_is_supervised() -> None:
    started = {
        name_of(file)
        for file in python_files("jobs", "web", "worker")
        if {"Thread", "threading.Thread", "gevent.spawn", "Greenlet.spawn"} & _called(file)
    }
    assert started == UNSUPERVISED.keys()


def _called(file: Path) -> set[str]:
    return {
        ast.unparse(node.func) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
    }


def _lines(node: Node) -> int:
    assert node.end_lineno
    return node.end_lineno - node.lineno + 1
