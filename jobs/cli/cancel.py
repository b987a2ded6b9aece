"""Cancels predictions that are queued. One that runs or has ended stays, and the exit status is 1."""

import argparse

from jobs.cli.one_by_one import one_by_one
from jobs.cli.source import add_source, source_of
from jobs.cli.text import as_json
from jobs.settings import Settings

HELP = "cancel predictions that are queued"
EXAMPLES = """\
  python -m jobs cancel pred_0193a4c5-…
  python -m jobs cancel pred_0193a4c5-… --redis
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID")
    add_source(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    source = source_of(options, settings)

    def cancel(job_id: str) -> None:
        resource = source.cancel(job_id)
        print(as_json(resource) if options.json else f"{job_id} canceled")

    return one_by_one(options.ids, cancel)
