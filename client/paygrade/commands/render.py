"""Resources as text for people: aligned tables, one line per row."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from paygrade.operations.predictions import outputs_of
from paygrade.resources import CountsOfRows, Job, Model, Output, QueuePosition, Resource

TimeOfJob: TypeAlias = Literal["created_at", "started_at", "finished_at", "deadline_at", "expires_at"]
TIMES: tuple[TimeOfJob, ...] = ("created_at", "started_at", "finished_at", "deadline_at", "expires_at")


def job_lines(job: Job) -> list[str]:
    """All of a job; outputs come last, one line per row."""
    error, queue, counts = job["error"], job.get("queue"), job.get("counts")
    lines = pairs(
        [
            ("id", job["id"]),
            ("status", job["status"]),
            ("model", _model(job)),
            ("rows", counts and _counts(counts)),
            ("progress", counts and f"{job['progress']:.0%}"),
            *((name.removesuffix("_at"), job[name]) for name in TIMES),
            ("queue", queue and _position(queue)),
            ("error", error and f"{error['type']}: {error['detail']}"),
            *((f"metadata {name}", value) for name, value in job["metadata"].items()),
        ]
    )
    outputs = outputs_of(job)
    return [*lines, "", *output_lines([{}] * len(outputs), outputs)] if outputs else lines


def output_lines(rows: Sequence[Mapping[str, Any]], outputs: Sequence[Output]) -> list[str]:
    """Each row beside its output."""
    features = list(dict.fromkeys(name for row in rows for name in row))
    members = list(dict.fromkeys(name for output in outputs for name in output))
    return table(
        [*features, *members],
        [
            [*(row.get(name) for name in features), *(_member(name, output.get(name)) for name in members)]
            for row, output in zip(rows, outputs, strict=True)
        ],
    )


def list_lines(jobs: Iterable[Job]) -> list[str]:
    return table(("id", "status", "model", "created", "seconds", "error"), map(_job_cells, jobs))


def model_lines(models: Iterable[Model]) -> list[str]:
    head = ("name", "versions", "aliases", "default", "target", "unit")
    return table(
        head,
        [
            [
                model["name"],
                ", ".join(map(str, model["versions"])),
                ", ".join(f"{alias}: {version}" for alias, version in model["aliases"].items()),
                model["default"],
                model["target"],
                model["unit"],
            ]
            for model in models
        ],
    )


def capacity_lines(now: Resource) -> list[str]:
    batches = now["batches"]
    return pairs(
        [
            ("waiting", f"{now['waiting']} jobs, {now['rows']} rows"),
            ("claimed", f"{now['claimed']} jobs"),
            ("oldest", f"{now['oldest_age_seconds']:.1f} s"),
            ("workers", f"{now['workers']}, with {now['children']} children"),
            ("pace", f"{now['rows_per_second']} rows/s"),
            ("releases", ", ".join(now["releases"])),
            ("accepting", now["accepting"]),
            (
                "batches",
                f"{batches['open']} open; {batches['children']} children, "
                f"{batches['rows_per_second']} rows/s",
            ),
            (
                "chunks",
                f"{batches['waiting']} waiting, {batches['claimed']} claimed; "
                f"oldest {batches['oldest_age_seconds']:.1f} s",
            ),
        ]
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    cells = [list(head), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def pairs(values: Iterable[tuple[str, Any]]) -> list[str]:
    """One line for each name that has a value."""
    present = [(name, cell(value)) for name, value in values if cell(value)]
    width = max((len(name) for name, _ in present), default=0)
    return [f"{name:{width}}  {value}" for name, value in present]


def as_json(value: Any) -> str:
    """On one line and in ASCII, which every terminal can show."""
    return json.dumps(value, separators=(",", ":"))


def cell(value: Any) -> str:
    """Text with control characters escaped, nothing for None, yes or no, else JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _job_cells(job: Job) -> list[Any]:
    error = job["error"]
    return [
        job["id"],
        job["status"],
        _model(job),
        job["created_at"],
        _seconds(job["created_at"], job["finished_at"]),
        error and error["type"],
    ]


def _model(job: Job) -> str:
    return f"{job['model']['name']}@{job['model']['version']}"


def _counts(counts: CountsOfRows) -> str:
    total = "unknown" if counts["total"] is None else f"{counts['total']:,}"
    return f"{counts['succeeded']:,} scored, {counts['failed']:,} failed, of {total}"


def _position(queue: QueuePosition) -> str:
    eta = queue["eta_seconds"]
    return f"position {queue['position']}, " + ("time unknown" if eta is None else f"{eta:.1f} s to go")


def _seconds(created: str, finished: str | None) -> str | None:
    if finished is None:
        return None
    return f"{(datetime.fromisoformat(finished) - datetime.fromisoformat(created)).total_seconds():.3f}"


def _member(name: str, value: Any) -> Any:
    if name == "warnings" and value:
        return "; ".join(value)
    if name == "error" and value:
        return f"{value['type']}: {value['detail']}"
    return value
