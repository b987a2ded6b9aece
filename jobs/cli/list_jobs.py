"""Lists predictions, the newest first; with --json one a line."""

import argparse

from jobs.cli.numbers import at_least_one
from jobs.cli.shown import list_lines
from jobs.cli.source import add_owner, add_source, source_of
from jobs.cli.text import as_json
from jobs.predictions.status import PredictionStatus
from jobs.settings import Settings

HELP = "list predictions"
EXAMPLES = """\
  python -m jobs list
  python -m jobs list --status failed --limit 500
  python -m jobs list --redis --owner alice --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--status",
        choices=[*PredictionStatus],
        metavar="STATUS",
        help=f"only these: {', '.join(PredictionStatus)}",
    )
    parser.add_argument(
        "--limit", type=at_least_one, default=20, metavar="N", help="at most so many (%(default)s)"
    )
    add_owner(parser)
    add_source(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    found = source_of(options, settings).list_jobs(options.status, options.limit)
    if options.json:
        for resource in found:
            print(as_json(resource))
    else:
        print("\n".join(list_lines(found)))
    return 0
