"""Shows a prediction: its status, its times, its outputs."""

import argparse

from jobs.cli.shown import prediction_lines
from jobs.cli.source import add_source, source_of
from jobs.cli.text import as_json
from jobs.ids import check
from jobs.settings import Settings

HELP = "show a prediction"
EXAMPLES = """\
  python -m jobs show pred_0193a4c5-…
  python -m jobs show pred_0193a4c5-… --json
  REDIS_URL=redis://127.0.0.1:6379/0 python -m jobs show pred_0193a4c5-… --redis
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")
    add_source(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    check(options.id)
    resource = source_of(options, settings).show(options.id)
    print(as_json(resource) if options.json else "\n".join(prediction_lines(resource)))
    return 0
