"""paygrade watch."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from shutil import get_terminal_size

from paygrade.client import Client
from paygrade.commands.arguments import Command, add_json, positive_seconds
from paygrade.commands.render import as_json, capacity_lines, job_lines, list_lines
from paygrade.errors import PaygradeError
from paygrade.progress import progress_line

EXAMPLES = """\
  paygrade watch
  paygrade watch batch_0193a4c5-…
  paygrade watch --every 5 | tee capacity.log
"""
NEWEST = 50
"""Jobs at most that a screen shows."""
CLEAR, HOME, END_OF_LINE, REST = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="a job to watch until it has ended")
    parser.add_argument(
        "--every",
        type=positive_seconds,
        default=1,
        metavar="SECONDS",
        help="time between two looks (%(default)s)",
    )
    add_json(parser)


def run(options: argparse.Namespace, client: Client) -> int:
    """Shows the capacity and the newest jobs until Ctrl-C: redrawn on a terminal, else one line each time.

    With an ID it watches this job instead, until it has ended. The exit status is 1 if a row was not scored.
    """
    if options.id:
        return _watch_job(options, client)
    drawn = sys.stdout.isatty() and not options.json
    look = _screen if drawn else _json_line if options.json else _line
    try:
        lines = look(client)  # if this fails, there is nothing to watch
        if drawn:
            print(CLEAR, end="")
        while True:
            (_draw if drawn else _print)(lines)
            time.sleep(options.every)
            lines = _look_again(look, client, options.json)
    except KeyboardInterrupt:
        return 0


def _watch_job(options: argparse.Namespace, client: Client) -> int:
    """Its progress on a terminal, and at last what became of it."""
    with progress_line() as line:
        for job in client.follow(options.id):
            if job["finished_at"]:
                break
            if "counts" in job:
                line.batch(job)
            else:
                line.show(job["status"], None)
    print(as_json(job) if options.json else "\n".join(job_lines(job)))
    return 0 if job["status"] == "succeeded" else 1


def _look_again(look: Callable[[Client], list[str]], client: Client, in_json: bool) -> list[str]:
    """A service that is away may come back."""
    try:
        return look(client)
    except PaygradeError as error:
        at = _now()
        return [as_json({"at": at, "error": str(error)}) if in_json else f"{at}  {error}"]


def _screen(client: Client) -> list[str]:
    return [_now(), "", *capacity_lines(client.capacity()), "", *list_lines(client.list(limit=NEWEST))]


def _json_line(client: Client) -> list[str]:
    return [as_json({"at": _now(), **client.capacity()})]


def _line(client: Client) -> list[str]:
    now = client.capacity()
    batches = now["batches"]
    return [
        f"{_now()}  waiting {now['waiting']}  rows {now['rows']}  claimed {now['claimed']}"
        f"  oldest {now['oldest_age_seconds']:.1f} s  children {now['children']}"
        f"  {now['rows_per_second']} rows/s  {'' if now['accepting'] else 'not '}accepting"
        f"  batches {batches['open']}  chunks {batches['waiting'] + batches['claimed']}"
        f"  {batches['rows_per_second']} rows/s"
    ]


def _print(lines: list[str]) -> None:
    print("\n".join(lines), flush=True)


def _draw(lines: list[str]) -> None:
    """Over the previous lines, as many as the screen holds."""
    width, height = get_terminal_size()
    shown = [line[:width] + END_OF_LINE for line in lines[: height - 1]]
    print(HOME + "\n".join(shown) + "\n" + REST, end="", flush=True)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


COMMAND = Command("watch", "show the capacity again and again", EXAMPLES, add_arguments, run)
