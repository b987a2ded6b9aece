"""Shows how things stand, again and again, until Ctrl-C: on a terminal in place, else a line each time."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from shutil import get_terminal_size

from jobs.cli.numbers import seconds
from jobs.cli.shown import capacity_lines, list_lines
from jobs.cli.source import Source, add_owner, add_source, source_of
from jobs.cli.text import as_json
from jobs.errors import JobsError
from jobs.settings import Settings

HELP = "show how things stand, again and again"
EXAMPLES = """\
  python -m jobs watch
  python -m jobs watch --every 5 | tee standing.log
  REDIS_URL=redis://127.0.0.1:6379/0 python -m jobs watch --redis --owner alice
"""
NEWEST = 50
"""Jobs at most that a screen shows."""

CLEAR, HOME, END_OF_LINE, REST = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"

Look = Callable[[], list[str]]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", type=seconds, default=1, metavar="SECONDS", help="how often to look (%(default)s)"
    )
    add_owner(parser)
    add_source(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    source = source_of(options, settings)
    drawn = sys.stdout.isatty() and not options.json
    look = _screen(source, not options.redis or options.owner) if drawn else _line(source, options.json)
    try:
        lines = look()  # if this is refused, there is nothing to watch
        if drawn:
            print(CLEAR, end="")
        while True:
            (_draw if drawn else _print)(lines)
            time.sleep(options.every)
            lines = _look_again(look, options.json)
    except KeyboardInterrupt:
        return 0


def _look_again(look: Look, in_json: bool) -> list[str]:
    """What is away may come back."""
    try:
        return look()
    except JobsError as error:
        at = _now()
        return [as_json({"at": at, "error": str(error)}) if in_json else f"{at}  {error}"]


def _screen(source: Source, with_jobs: bool) -> Look:
    def look() -> list[str]:
        lines = [_now(), "", *capacity_lines(source.capacity())]
        return [*lines, "", *list_lines(source.list_jobs(None, NEWEST))] if with_jobs else lines

    return look


def _line(source: Source, in_json: bool) -> Look:
    def look() -> list[str]:
        now = source.capacity()
        batches = now["batches"]
        if in_json:
            return [as_json({"at": _now(), **now})]
        return [
            f"{_now()}  waiting {now['waiting']}  rows {now['rows']}  claimed {now['claimed']}"
            f"  oldest {now['oldest_age_seconds']:.1f} s  children {now['children']}"
            f"  {now['rows_per_second']} rows/s  {'' if now['accepting'] else 'not '}accepting"
            f"  batches {batches['open']}  chunks {batches['waiting'] + batches['claimed']}"
            f"  {batches['rows_per_second']} rows/s"
        ]

    return look


def _print(lines: list[str]) -> None:
    print("\n".join(lines), flush=True)


def _draw(lines: list[str]) -> None:
    """Over what was drawn before, as much as the screen holds."""
    width, height = get_terminal_size()
    shown = [line[:width] + END_OF_LINE for line in lines[: height - 1]]
    print(HOME + "\n".join(shown) + "\n" + REST, end="", flush=True)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
