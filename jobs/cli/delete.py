"""Removes predictions that have ended, and all that is kept of them."""

import argparse

from jobs.cli.one_by_one import one_by_one
from jobs.cli.source import add_api, api_of
from jobs.cli.text import as_json
from jobs.settings import Settings

HELP = "remove predictions that have ended"
EXAMPLES = """\
  python -m jobs delete pred_0193a4c5-…
  python -m jobs list --status canceled --json | jq -r .id | xargs python -m jobs delete
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID")
    add_api(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    api = api_of(options, settings)

    def delete(job_id: str) -> None:
        api.delete(job_id)
        print(as_json({"id": job_id, "deleted": True}) if options.json else f"{job_id} deleted")

    return one_by_one(options.ids, delete)
