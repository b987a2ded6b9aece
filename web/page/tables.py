"""The first rows of a batch's results and errors, as texts."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

import orjson

from web.page.charts import HistogramBin, distribution
from web.page.writing import write_value

START_BYTES = 256 * 1024
"""So many first bytes of the errors are looked at."""
SHOWN_ROWS = 10
MOST_CORRECTED = 50
_SCORE = "prediction"


class FirstRows(NamedTuple):
    """`looked_at` rows are in the distribution; `whole` tells whether they are all."""

    names: list[str]
    rows: list[list[str]]
    looked_at: int
    whole: bool
    columns: list[HistogramBin]


def read_first_rows(first: bytes, kind: str, total: int) -> FirstRows | None:
    """The `first` rows of the `total`: lines of CSV, or of NDJSON for other kinds of results."""
    text = first.decode(errors="replace")
    names, rows = _csv(text) if kind == "csv" else _ndjson(text)
    if not rows:
        return None
    return FirstRows(
        names, rows[:SHOWN_ROWS], len(rows), len(rows) >= total, distribution(_scores(names, rows))
    )


def _whole_lines(start: bytes, cut: bool) -> str:
    if cut:
        start = start[: start.rfind(b"\n") + 1]
    return start.decode(errors="replace")


def _csv(text: str) -> tuple[list[str], list[list[str]]]:
    table = list(csv.reader(StringIO(text, newline="")))
    return (table[0], table[1:]) if table else ([], [])


def _ndjson(text: str) -> tuple[list[str], list[list[str]]]:
    lines = [orjson.loads(line) for line in text.splitlines() if line]
    names = list(dict.fromkeys(name for line in lines for name in line))
    return names, [[_cell(line.get(name)) for name in names] for line in lines]


def _cell(value: Any) -> str:
    return write_value(value) if not isinstance(value, list | dict) else orjson.dumps(value).decode()


def _scores(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float | str]:
    """The labels, or else the predictions. The last such column has them: those of the input come before."""
    at = max((i for i, name in enumerate(names) if name.endswith(("label", _SCORE))), default=None)
    if at is None:
        return []
    return [_number(row[at]) for row in rows if at < len(row) and row[at] != ""]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


class FailedRow(NamedTuple):
    """`inputs` are the values that can be corrected, by the names of their features."""

    row: int
    reasons: list[str]
    inputs: Mapping[str, str]


class FailedRows(NamedTuple):
    rows: list[FailedRow]
    more: bool

    @property
    def can_be_corrected(self) -> bool:
        return any(row.inputs for row in self.rows)


def failed_rows(start: bytes, cut: bool) -> FailedRows:
    lines = list(_errors(start, cut))
    return FailedRows([_failed(line) for line in lines[:MOST_CORRECTED]], cut or len(lines) > MOST_CORRECTED)


def _errors(start: bytes, cut: bool) -> Iterator[dict[str, Any]]:
    for line in _whole_lines(start, cut).splitlines():
        if line:
            yield orjson.loads(line)


def _failed(line: Mapping[str, Any]) -> FailedRow:
    faults = line.get("errors", [])
    reasons = [f"{_name_of(fault['pointer'])} {fault['detail']}".strip() for fault in faults]
    given = line.get("input") or {}
    wrong = [_name_of(fault["pointer"]) for fault in faults]
    return FailedRow(line["row"], reasons, {name: _cell(given.get(name)) for name in wrong if name})


def _name_of(pointer: str) -> str:
    return pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")


def corrected(start: bytes, cut: bool, sent: Mapping[str, str]) -> list[dict[str, Any]]:
    """The lines to retry: each failed row that was shown, with what was entered for what was wrong."""
    lines = []
    for line in list(_errors(start, cut))[:MOST_CORRECTED]:
        entered = {
            name: sent[key] for name in _failed(line).inputs if (key := key_of(line["row"], name)) in sent
        }
        changed = {name: text.strip() or None for name, text in entered.items()}
        if changed:
            lines.append({"row": line["row"], "input": {**(line.get("input") or {}), **changed}})
    return lines


def key_of(row: int, name: str) -> str:
    """The name of the field that corrects a value."""
    return f"r{row}.{name}"
