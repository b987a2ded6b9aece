"""Runs a notebook without Jupyter: `python -m tests.notebook FILE` prints what each cell shows, as JSON.

With `--write` it also writes this into the file, so that readers see what a run has shown.
"""

import ast
import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def shown_in(cell: dict[str, Any]) -> str:
    """What the file says that the cell shows: its prints, and the value of its last line."""
    texts = (output.get("text") or output["data"]["text/plain"] for output in cell["outputs"])
    return "".join("".join(text) for text in texts).strip()


def run(notebook: dict[str, Any]) -> Iterator[str]:
    """What each cell of code shows; all of them run in one namespace."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in code_cells(notebook):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _run_cell("".join(cell["source"]), names)
        yield printed.getvalue() + ("" if value is None else repr(value))


def _run_cell(source: str, names: dict[str, Any]) -> Any:
    """The value of its last line, if that is an expression."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)  # noqa: S102 (the notebook is ours)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


def write(file: Path, notebook: dict[str, Any], shown: list[str]) -> None:
    for number, (cell, text) in enumerate(zip(code_cells(notebook), shown, strict=True), 1):
        result = {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}
        cell["outputs"] = [result] if text else []
        cell["execution_count"] = number
    file.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def main(file: Path, writes: bool) -> None:
    notebook = json.loads(file.read_text())
    shown = list(run(notebook))
    if writes:
        write(file, notebook, shown)
    print(json.dumps(shown))


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--write" in sys.argv)
