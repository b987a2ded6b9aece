"""A change as it happens: a table that is drawn over on a terminal, a line for each event elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from rich.live import Live
from rich.markup import escape
from rich.table import Column, Table

from ecs.errors import ChangeFailed, watching
from ecs.screen import Screen
from ecs.stack import Stack
from ecs.state import Event

WhyStopped = Callable[[str], str]
"""What ECS itself says of a service that did not become stable, or nothing."""
SHOWN_DONE = 8
_CANCELLED = ("creation cancelled", "update cancelled", "Resource deletion cancelled")
_STACK = "AWS::CloudFormation::Stack"
_SERVICE = "AWS::ECS::Service"


def follow(stack: Stack, events: Iterable[Event | None], screen: Screen, why_stopped: WhyStopped) -> None:
    """Shows the events until they end. Raises ChangeFailed with the reason of the first that failed."""
    failures: dict[tuple[str, str], str] = {}
    starting: dict[str, Event] = {}
    last: Event | None = None
    troubled: Event | None = None
    with watching(stack.name), _shown(screen) as show:
        for event in events:
            if event is None:
                _show_trouble(starting, why_stopped, show)
                continue
            show(event)
            if event.type == _SERVICE:
                starting[event.logical] = event
            if event.type == _STACK:
                last = event
                if event.failed or "ROLLBACK" in event.status:
                    troubled = troubled or event
            if event.failed and event.type != _STACK and not _is_cancelled(event):
                # Asked at once: a rollback may remove the service, and its tasks with it.
                said = why_stopped(event.logical) if event.type == _SERVICE else ""
                failure = f"{event.logical} ({event.type}): {said or event.reason or event.status}"
                failures[event.logical, event.status] = failure
            if event.status == "DELETE_COMPLETE":  # CloudFormation tries three times
                failures.pop((event.logical, "DELETE_FAILED"), None)
    _conclude(stack, list(failures.values()), troubled, last, screen)


def _conclude(
    stack: Stack, failures: list[str], troubled: Event | None, last: Event | None, screen: Screen
) -> None:
    """Raises ChangeFailed, unless all that failed is the removal of what an update has replaced."""
    if last and last.status == "UPDATE_COMPLETE":
        for failure in failures:
            screen.say(f"replaced, but not removed: {failure}")
        return
    if troubled and not failures:
        failures = stack.refusals(StackName=troubled.physical) or [troubled.reason or troubled.status]
    for failure in failures[1:]:
        screen.say(f"also: {failure}")
    if failures:
        raise ChangeFailed(f"{stack.name} failed: {failures[0]}", _what_now(last))


def _show_trouble(starting: dict[str, Event], why_stopped: WhyStopped, show: Callable[[Event], None]) -> None:
    """CloudFormation is silent until ECS gives up, which takes minutes; ECS knows earlier."""
    for logical, event in starting.items():
        begun = event.status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
        if begun and (said := why_stopped(logical)) and said != event.reason:
            starting[logical] = replace(event, reason=said)
            show(starting[logical])


def _is_cancelled(event: Event) -> bool:
    """It failed since another one did."""
    return any(words in event.reason for words in _CANCELLED)


def _what_now(last: Event | None) -> str:
    status = last.status if last else ""
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return "all is as it was before; mend the cause and run the same again"
    if status in ("DELETE_COMPLETE", "ROLLBACK_COMPLETE"):
        return "nothing of it is left; mend the cause and run the same again"
    if status == "DELETE_FAILED":
        return "remove what stands in the way, then run python -m ecs down again"
    return "python -m ecs up goes on from here"


@contextmanager
def _shown(screen: Screen) -> Iterator[Callable[[Event], None]]:
    if not screen.live:
        yield lambda event: screen.say(_line(event))
        return
    board: dict[str, tuple[Event, datetime]] = {}
    with Live(console=screen.console, refresh_per_second=4) as live:

        def show(event: Event) -> None:
            begun = board[event.logical][1] if event.logical in board else event.at
            board[event.logical] = (event, begun)
            live.update(_board(board))

        yield show


def _line(event: Event) -> str:
    reason = f"  {event.reason}" if event.reason else ""
    kind = event.type.removeprefix("AWS::")
    return f"{event.at:%H:%M:%S}  {event.status:<28} {event.logical} ({kind}){reason}"


def _board(board: dict[str, tuple[Event, datetime]]) -> Table:
    # The names tell the types; a terminal of 60 columns has room for no more.
    table = Table("resource", Column("state", no_wrap=True), "seconds", "said", box=None, pad_edge=False)
    done = [name for name, (event, _) in board.items() if event.status.endswith("_COMPLETE")]
    # A terminal may be lower than the table would be.
    shown = [name for name in board if name not in done[:-SHOWN_DONE]]
    for event, begun in (board[name] for name in shown):
        colour = "red" if event.failed else "green" if event.status.endswith("_COMPLETE") else "yellow"
        seconds = f"{(event.at - begun).total_seconds():.0f}"
        table.add_row(
            event.logical,
            f"[{colour}]{event.status.lower().replace('_', ' ')}[/]",
            seconds,
            escape(event.reason),
        )
    table.caption = f"{len(done)} of {len(board)} done"
    return table
