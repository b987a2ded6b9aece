"""Posts rows as a prediction, or a file as a batch, waits until it has ended, and gives what each row scored.

The exit status is 1 if a row was not scored, or not in time: the job then goes on, and can be shown.
A file is waited for as long as it takes; Ctrl-C offers to cancel its batch.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from jobs.cli import score_file
from jobs.cli.api import Api, Resource
from jobs.cli.errors import AskLater, CannotAsk, NotSo
from jobs.cli.numbers import seconds
from jobs.cli.shown import output_lines, outputs_of
from jobs.cli.source import add_api, api_of
from jobs.cli.text import as_json
from jobs.predictions.status import PredictionStatus
from jobs.settings import Settings

HELP = "score rows, or a file"
EXAMPLES = """\
  python -m jobs score --row years=2.5
  python -m jobs score --row years=2.5 --row years=8 --json
  python -m jobs score --model fees@3 --row weight=12 country=de insured=true note=
  python -m jobs score salaries.csv -o scored.csv
  python -m jobs score salaries.csv -o explained.csv --explain
  zcat people.csv.gz | python -m jobs score - --results ndjson | head
"""

TIMEOUT_SECONDS = 60

T = TypeVar("T")


class AddRow(argparse.Action):
    """A row of NAME=VALUE. As in CSV: what comes after = is sent as text, and nothing as null."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: object
    ) -> None:
        row: dict[str, str | None] = {}
        for pair in values:
            name, separator, value = pair.partition("=")
            if not (name and separator):
                parser.error(f"--row takes NAME=VALUE, as in --row years=2.5, and not {pair!r}")
            if name in row:
                parser.error(f"--row has {name} twice; each --row is a row of its own")
            row[name] = value or None
        namespace.rows = [*(namespace.rows or []), row]


def arguments(parser: argparse.ArgumentParser) -> None:
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument(
        "file", nargs="?", metavar="FILE", help="CSV, NDJSON or Parquet, also .gz; - for standard input"
    )
    either.add_argument(
        "--row",
        dest="rows",
        action=AddRow,
        nargs="+",
        metavar="NAME=VALUE",
        help="the values of a row; nothing after = is a missing value; may be given again",
    )
    parser.add_argument("--model", metavar="NAME[@VERSION]", help="which model (the default model)")
    parser.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help=f"how long to wait for rows ({TIMEOUT_SECONDS})"
    )
    score_file.arguments(parser)
    add_api(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    _check_fit(options)
    api = api_of(options, settings)
    if options.file is not None:
        return score_file.run(options, api)
    rows = options.rows
    body: Resource = {"inputs": rows if len(rows) > 1 else rows[0]}
    if options.model:
        body["model"] = options.model
    if options.explain:
        body["explain"] = True
    until = time.monotonic() + (options.timeout or TIMEOUT_SECONDS)
    once = uuid4().hex
    accepted = patiently(lambda: api.post(body, once), until)
    ended = ended_of(api, accepted, until)
    outputs = outputs_of(ended)
    if options.json:
        print(as_json(ended))
    elif outputs:
        print("\n".join(output_lines(rows, outputs)))
    if ended["status"] == PredictionStatus.SUCCEEDED:
        return 0
    why = ended["error"] or {"detail": "a row was not scored"}
    raise NotSo(f"{ended['id']} is {ended['status']}: {why['detail']}")


def _check_fit(options: argparse.Namespace) -> None:
    """Raises CannotAsk for an option that would have no effect."""
    if options.file is not None and options.json:
        raise CannotAsk("--json goes with --row; a file's results come in the format of --results")
    if options.file is not None and options.timeout:
        raise CannotAsk("--timeout goes with --row; a file is waited for as long as it takes")
    for name in score_file.OF_FILES:
        if options.rows and getattr(options, name):
            raise CannotAsk(f"--{name.replace('_', '-')} goes with a file, not with --row")


def ended_of(api: Api, resource: Resource, until: float) -> Resource:
    """The job once it has ended; raises NotSo if it has not by then."""
    job_id = resource["id"]
    later = f"the job goes on: python -m jobs show {job_id}"
    try:
        while resource["finished_at"] is None:
            if time.monotonic() > until:
                raise NotSo(f"it is still {resource['status']}; {later}")
            resource = patiently(lambda: api.show(job_id, wait=max(until - time.monotonic(), 1)), until)
    except CannotAsk as error:
        raise CannotAsk(f"{error}; {later}") from None
    except KeyboardInterrupt:
        print(f"jobs: {later}", file=sys.stderr)
        raise
    return resource


def patiently(ask: Callable[[], T], until: float) -> T:
    """Asks again as long as that may help and there is time."""
    while True:
        try:
            return ask()
        except AskLater as error:
            if time.monotonic() + error.seconds > until:
                raise
            time.sleep(error.seconds)
