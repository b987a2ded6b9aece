"""paygrade predict."""

import argparse
import sys
import time
from typing import Any

from paygrade.client import Client
from paygrade.commands.arguments import Command, add_json, add_model, positive_seconds
from paygrade.commands.errors import ScoringFailed
from paygrade.commands.render import as_json, output_lines
from paygrade.errors import JobUnfinished, PaygradeError
from paygrade.operations.predictions import outputs_of
from paygrade.resources import Job

EXAMPLES = """\
  paygrade predict years=2.5
  paygrade predict years=2.5 --row years=12.5 --json
  paygrade predict weight=12 country=de insured=true note= --model fees@3
"""
TIMEOUT_SECONDS = 60


class RowAction(argparse.Action):
    """Appends a row of NAME=VALUE. As in CSV, values are sent as text and an empty value as null."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: object
    ) -> None:
        row: dict[str, str | None] = {}
        for pair in values:
            name, separator, value = pair.partition("=")
            if not (name and separator):
                parser.error(f"a row must be NAME=VALUE, as in years=2.5, not {pair!r}")
            if name in row:
                parser.error(f"a row has {name} twice; begin each further row with --row")
            row[name] = value or None
        namespace.rows = [*getattr(namespace, "rows", ()), row]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "first",
        action=RowAction,
        nargs="+",
        metavar="NAME=VALUE",
        help="the values of a row; an empty value is a missing value",
    )
    parser.add_argument(
        "--row", action=RowAction, nargs="+", metavar="NAME=VALUE", help="a further row; can be repeated"
    )
    add_model(parser)
    parser.add_argument("--explain", action="store_true", help="add what each feature contributes")
    parser.add_argument("--webhook", metavar="URL", help="https address that is told when the job has ended")
    parser.add_argument(
        "--timeout",
        type=positive_seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for the scores (%(default)s)",
    )
    add_json(parser)


def run(options: argparse.Namespace, client: Client) -> int:
    """Scores rows and prints what each one scored.

    The exit status is 1 if a row was not scored, or not in time. The job then continues.
    """
    rows = options.rows
    deadline = time.monotonic() + options.timeout
    job = client.submit(
        rows if len(rows) > 1 else rows[0],
        model=options.model,
        explain=options.explain,
        webhook=options.webhook,
        timeout=options.timeout,
    )
    if job["finished_at"] is None:
        job = _wait(client, job["id"], deadline - time.monotonic())
    outputs = outputs_of(job)
    if options.json:
        print(as_json(job))
    elif outputs:
        print("\n".join(output_lines(rows, outputs)))
    if job["status"] != "succeeded":
        reason = job["error"] or {"detail": "a row was not scored"}
        raise ScoringFailed(f"{job['id']} is {job['status']}: {reason['detail']}")
    return 0


def _wait(client: Client, job_id: str, seconds: float) -> Job:
    """Whatever keeps the job from being shown, its id is printed."""
    continues = f"the job continues; see: paygrade jobs show {job_id}"
    try:
        return client.wait(job_id, seconds)
    except JobUnfinished as error:
        raise ScoringFailed(f"{error}; {continues}") from None
    except PaygradeError as error:
        raise PaygradeError(f"{error}; {continues}") from None
    except KeyboardInterrupt:
        print(f"paygrade: {continues}", file=sys.stderr)
        raise


COMMAND = Command("predict", "score rows", EXAMPLES, add_arguments, run)
