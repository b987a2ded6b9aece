"""Resources as text for people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from jobs.cli.api import Resource
from jobs.cli.text import pairs, table

TIMES = ("created", "started", "finished", "deadline", "expires")


def prediction_lines(resource: Resource) -> list[str]:
    """All of a prediction; outputs come last, a row a line."""
    error, queue = resource["error"], resource.get("queue")
    lines = pairs(
        [
            ("id", resource["id"]),
            ("status", resource["status"]),
            ("model", _model(resource)),
            ("owner", resource.get("owner")),
            ("attempt", resource.get("attempt")),
            *((name, resource[f"{name}_at"]) for name in TIMES),
            ("queue", queue and _place(queue)),
            ("error", error and f"{error['type']}: {error['detail']}"),
            *((f"metadata {name}", value) for name, value in resource["metadata"].items()),
        ]
    )
    outputs = outputs_of(resource)
    return [*lines, "", *output_lines([{}] * len(outputs), outputs)] if outputs else lines


def outputs_of(resource: Resource) -> list[Resource]:
    """Of each row; none where there are no outputs."""
    if "outputs" in resource:
        return list(resource["outputs"])
    return [resource["output"]] if resource["output"] else []


def output_lines(rows: Sequence[Mapping[str, Any]], outputs: Sequence[Resource]) -> list[str]:
    """Each row, and what became of it."""
    features = list(dict.fromkeys(name for row in rows for name in row))
    gives = list(dict.fromkeys(name for output in outputs for name in output))
    return table(
        [*features, *gives],
        [
            [*(row.get(name) for name in features), *(_said(name, output.get(name)) for name in gives)]
            for row, output in zip(rows, outputs, strict=True)
        ],
    )


def list_lines(resources: Iterable[Resource]) -> list[str]:
    head = ("id", "status", "model", "created", "seconds", "error")
    return table(head, [_line(resource) for resource in resources])


def capacity_lines(now: Resource) -> list[str]:
    lines = pairs(
        [
            ("waiting", f"{now['waiting']} jobs, {now['rows']} rows"),
            ("claimed", f"{now['claimed']} jobs"),
            ("oldest", f"{now['oldest_age_seconds']:.1f} s"),
            ("workers", f"{now['workers']}, with {now['children']} children"),
            ("pace", f"{now['rows_per_second']} rows/s"),
            ("releases", ", ".join(now["releases"])),
            ("accepting", now["accepting"]),
            ("batches", _batches(now["batches"])),
            ("chunks", _chunks(now["batches"])),
        ]
    )
    if processes := now.get("processes"):
        rows = [(each["of"], each["name"], each["release"], each["rows_per_second"]) for each in processes]
        lines += ["", *table(("of", "process", "release", "rows/s"), rows)]
    return lines


def _batches(now: Resource) -> str:
    return f"{now['open']} open; {now['children']} children, {now['rows_per_second']} rows/s"


def _chunks(now: Resource) -> str:
    return f"{now['waiting']} wait, {now['claimed']} claimed; oldest {now['oldest_age_seconds']:.1f} s"


def _line(resource: Resource) -> list[Any]:
    error = resource["error"]
    return [
        resource["id"],
        resource["status"],
        _model(resource),
        resource["created_at"],
        _seconds(resource["created_at"], resource["finished_at"]),
        error and error["type"],
    ]


def _model(resource: Resource) -> str:
    return f"{resource['model']['name']}@{resource['model']['version']}"


def _place(queue: Resource) -> str:
    eta = queue["eta_seconds"]
    return f"position {queue['position']}, " + (
        "until when is unknown" if eta is None else f"{eta:.1f} s to go"
    )


def _seconds(begun: str, ended: str | None) -> str | None:
    if ended is None:
        return None
    return f"{(datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds():.3f}"


def _said(name: str, value: Any) -> Any:
    if name == "warnings" and value:
        return "; ".join(value)
    if name == "error" and value:
        return f"{value['type']}: {value['detail']}"
    return value
