"""python -m ops watch."""

import argparse
import sys
import time
from datetime import UTC, datetime
from shutil import get_terminal_size

from jobs.errors import JobsError
from jobs.settings import Settings
from ops.capacity import capacity_lines
from ops.numbers import positive_seconds
from ops.render import as_json
from ops.stored_jobs import StoredJobs

HELP = "show the capacity again and again"
EXAMPLES = """\
  python -m ops watch
  python -m ops watch --every 5 --json | tee capacity.log
"""
CLEAR, HOME, END_OF_LINE, REST = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every",
        type=positive_seconds,
        default=1,
        metavar="SECONDS",
        help="time between two looks (%(default)s)",
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Shows the capacity until Ctrl-C: redrawn on a terminal, else as one line of JSON each time."""
    jobs = StoredJobs.connect(settings)
    drawn = sys.stdout.isatty() and not options.json
    try:
        now = jobs.capacity()  # if this fails, there is nothing to watch
        if drawn:
            print(CLEAR, end="")
        while True:
            at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            if drawn:
                _draw([at, "", *(capacity_lines(now) if "error" not in now else [now["error"]])])
            else:
                print(as_json({"at": at, **now}), flush=True)
            time.sleep(options.every)
            try:
                now = jobs.capacity()
            except JobsError as error:  # Redis may come back
                now = {"error": str(error)}
    except KeyboardInterrupt:
        return 0


def _draw(lines: list[str]) -> None:
    """Over the previous lines, as many as the screen holds."""
    width, height = get_terminal_size()
    shown = [line[:width] + END_OF_LINE for line in lines[: height - 1]]
    print(HOME + "\n".join(shown) + "\n" + REST, end="", flush=True)
