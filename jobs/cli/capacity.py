"""Shows how things stand: what waits, what is claimed, who works, how fast, and whether more is accepted."""

import argparse

from jobs.cli.shown import capacity_lines
from jobs.cli.source import add_source, source_of
from jobs.cli.text import as_json
from jobs.settings import Settings

HELP = "show what waits, and who works it off"
EXAMPLES = """\
  python -m jobs capacity
  python -m jobs capacity --redis --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    now = source_of(options, settings).capacity()
    print(as_json(now) if options.json else "\n".join(capacity_lines(now)))
    return 0
