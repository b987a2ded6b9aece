"""Shows a change while it happens: as a table on a terminal, elsewhere as one line for each event."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from rich.live import Live
from rich.markup import escape
from rich.table import Column, Table

from ecs.errors import ChangeFailed, detach_on_interrupt
from ecs.screen import Screen
from ecs.stack import Stack
from ecs.stack_state import StackEvent

StopReason = Callable[[str], str]
"""Returns why ECS cannot run the tasks of a service, by its logical id; empty if ECS reports nothing."""
COMPLETED_ROWS = 8
_CANCELLED = ("creation cancelled", "update cancelled", "Resource deletion cancelled")
_STACK = "AWS::CloudFormation::Stack"
_SERVICE = "AWS::ECS::Service"


def follow(
    stack: Stack, events: Iterable[StackEvent | None], screen: Screen, stop_reason: StopReason
) -> None:
    """Shows the events to their end. Raises ChangeFailed with the reason of the first failure."""
    failures: dict[tuple[str, str], str] = {}
    services: dict[str, StackEvent] = {}
    last: StackEvent | None = None
    first_stack_failure: StackEvent | None = None
    with detach_on_interrupt(stack.name), _display(screen) as show:
        for event in events:
            if event is None:
                _show_service_problems(services, stop_reason, show)
                continue
            show(event)
            if event.type == _SERVICE:
                services[event.logical_id] = event
            if event.type == _STACK:
                last = event
                if event.failed or "ROLLBACK" in event.status:
                    first_stack_failure = first_stack_failure or event
            if event.failed and event.type != _STACK and not _is_cancelled(event):
                failures[event.logical_id, event.status] = _describe_failure(event, stop_reason)
            if event.status == "DELETE_COMPLETE":  # CloudFormation tries a deletion three times
                failures.pop((event.logical_id, "DELETE_FAILED"), None)
    _report_failures(stack, list(failures.values()), first_stack_failure, last, screen)


def _describe_failure(event: StackEvent, stop_reason: StopReason) -> str:
    # Ask ECS now: a rollback can delete the service, and its tasks with it.
    reason = stop_reason(event.logical_id) if event.type == _SERVICE else ""
    return f"{event.logical_id} ({event.type}): {reason or event.reason or event.status}"


def _report_failures(
    stack: Stack,
    failures: list[str],
    first_stack_failure: StackEvent | None,
    last: StackEvent | None,
    screen: Screen,
) -> None:
    """Raises ChangeFailed, unless the update is complete and only deletions of replaced resources failed."""
    if last and last.status == "UPDATE_COMPLETE":
        for failure in failures:
            screen.print(f"replaced, but not deleted: {failure}")
        return
    if first_stack_failure and not failures:
        failures = stack.validation_errors(StackName=first_stack_failure.physical_id) or [
            first_stack_failure.reason or first_stack_failure.status
        ]
    for failure in failures[1:]:
        screen.print(f"also failed: {failure}")
    if failures:
        raise ChangeFailed(f"{stack.name} failed: {failures[0]}", _next_step(last))


def _show_service_problems(
    services: dict[str, StackEvent], stop_reason: StopReason, show: Callable[[StackEvent], None]
) -> None:
    """ECS knows minutes before CloudFormation that the tasks of a service do not start."""
    for logical_id, event in services.items():
        in_progress = event.status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
        if in_progress and (reason := stop_reason(logical_id)) and reason != event.reason:
            services[logical_id] = replace(event, reason=reason)
            show(services[logical_id])


def _is_cancelled(event: StackEvent) -> bool:
    """Whether it failed only because another resource did."""
    return any(text in event.reason for text in _CANCELLED)


def _next_step(last: StackEvent | None) -> str:
    status = last.status if last else ""
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return "the rollback restored the previous state; correct the cause and run the same command again"
    if status in ("DELETE_COMPLETE", "ROLLBACK_COMPLETE"):
        return "CloudFormation removed what it had created; correct the cause and run the same command again"
    if status == "DELETE_FAILED":
        return "remove what prevents the deletion, then run python -m ecs down again"
    return "python -m ecs up continues from the current state"


@contextmanager
def _display(screen: Screen) -> Iterator[Callable[[StackEvent], None]]:
    if not screen.is_terminal:
        yield lambda event: screen.print(_line(event))
        return
    rows: dict[str, tuple[StackEvent, datetime]] = {}
    with Live(console=screen.console, refresh_per_second=4) as live:

        def show(event: StackEvent) -> None:
            started = rows[event.logical_id][1] if event.logical_id in rows else event.at
            rows[event.logical_id] = (event, started)
            live.update(_table(rows))

        yield show


def _line(event: StackEvent) -> str:
    reason = f"  {event.reason}" if event.reason else ""
    kind = event.type.removeprefix("AWS::")
    return f"{event.at:%H:%M:%S}  {event.status:<28} {event.logical_id} ({kind}){reason}"


def _table(rows: dict[str, tuple[StackEvent, datetime]]) -> Table:
    """Shows all resources in progress and the last completed ones, since a terminal has few lines."""
    # No column for the type: names imply it, and 60 columns have no space for both.
    table = Table("resource", Column("state", no_wrap=True), "seconds", "reason", box=None, pad_edge=False)
    completed = [name for name, (event, _) in rows.items() if event.status.endswith("_COMPLETE")]
    shown = [name for name in rows if name not in completed[:-COMPLETED_ROWS]]
    for event, started in (rows[name] for name in shown):
        colour = "red" if event.failed else "green" if event.status.endswith("_COMPLETE") else "yellow"
        seconds = f"{(event.at - started).total_seconds():.0f}"
        table.add_row(
            event.logical_id,
            f"[{colour}]{event.status.lower().replace('_', ' ')}[/]",
            seconds,
            escape(event.reason),
        )
    table.caption = f"{len(completed)} of {len(rows)} complete"
    return table
