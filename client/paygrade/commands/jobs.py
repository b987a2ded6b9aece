"""paygrade jobs."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from paygrade.client import Client
from paygrade.commands.arguments import Command, add_json, positive_int
from paygrade.commands.render import as_json, job_lines, list_lines
from paygrade.errors import Conflict, NotFound
from paygrade.progress import progress_line
from paygrade.resources import STATUSES, path_of

HELP = "list, show, cancel, retry or delete jobs, and write what came of them"
ANY_STATUS = list(dict.fromkeys(status for kind in STATUSES.values() for status in kind))


def list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=STATUSES, help="only jobs of this kind")
    parser.add_argument(
        "--status",
        choices=ANY_STATUS,
        metavar="STATUS",
        help=f"only jobs with this status: {', '.join(ANY_STATUS)}",
    )
    parser.add_argument(
        "--limit", type=positive_int, default=20, metavar="N", help="at most so many (%(default)s)"
    )
    add_json(parser)


def run_list(options: argparse.Namespace, client: Client) -> int:
    """Lists jobs, the newest first."""
    found = client.list(kind=options.kind, status=options.status, limit=options.limit)
    if options.json:
        for job in found:
            print(as_json(job))
    else:
        print("\n".join(list_lines(found)))
    return 0


def show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")
    add_json(parser)


def run_show(options: argparse.Namespace, client: Client) -> int:
    """Shows a job: its status, its times, its outputs or its counts."""
    job = client.get(options.id)
    print(as_json(job) if options.json else "\n".join(job_lines(job)))
    return 0


def ids_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID")
    add_json(parser)


def run_cancel(options: argparse.Namespace, client: Client) -> int:
    """Cancels predictions that are queued, and batches that have not ended."""

    def cancel(job_id: str) -> None:
        job = client.cancel(job_id)
        print(as_json(job) if options.json else f"{job_id} {job['status']}")

    return _each(options.ids, cancel)


def retry_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")
    parser.add_argument(
        "--corrected", metavar="FILE", help="the errors of the batch, with a corrected `input` in each line"
    )
    add_json(parser)


def run_retry(options: argparse.Namespace, client: Client) -> int:
    """Scores the failed rows of a batch again, as a new batch, whose results are those of the whole file."""
    job = client.retry(options.id, options.corrected)
    print(as_json(job) if options.json else f"{job['id']} {job['status']}")
    return 0


def file_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="file to write (standard output)")


def run_results(options: argparse.Namespace, client: Client) -> int:
    """Writes the results of a batch that has ended: a line for each row of its file, in its order."""
    return _write(options, client, "results")


def run_errors(options: argparse.Namespace, client: Client) -> int:
    """Writes the rows of a batch that failed, as NDJSON: each with its number from 0, and its faults."""
    return _write(options, client, "errors")


def _write(options: argparse.Namespace, client: Client, what: str) -> int:
    with progress_line() as line:
        client.download(options.id, options.output or sys.stdout.buffer, what=what, on_piece=line.received)
    return 0


def run_delete(options: argparse.Namespace, client: Client) -> int:
    """Deletes jobs that have ended, with all that is kept of them."""

    def delete(job_id: str) -> None:
        client.delete(job_id)
        print(as_json({"id": job_id, "deleted": True}) if options.json else f"{job_id} deleted")

    return _each(options.ids, delete)


def _each(ids: Sequence[str], act: Callable[[str], None]) -> int:
    """Changes all jobs that can be changed; the exit status is 1 if one of them cannot."""
    for job_id in ids:
        path_of(job_id)  # no job is changed if an id is not one
    status = 0
    for job_id in ids:
        try:
            act(job_id)
        except (Conflict, NotFound) as error:
            print(f"paygrade: {job_id}: {error}", file=sys.stderr)
            status = 1
    return status


COMMANDS = (
    Command(
        "list",
        "list jobs",
        """\
  paygrade jobs list
  paygrade jobs list --kind batch --status failed --limit 500
""",
        list_arguments,
        run_list,
    ),
    Command(
        "show",
        "show a job",
        """\
  paygrade jobs show pred_0193a4c5-…
  paygrade jobs show batch_0193a4c5-… --json
""",
        show_arguments,
        run_show,
    ),
    Command(
        "cancel",
        "cancel jobs",
        """\
  paygrade jobs cancel pred_0193a4c5-…
  paygrade jobs list --status queued --json | jq -r .id | xargs paygrade jobs cancel
""",
        ids_arguments,
        run_cancel,
    ),
    Command(
        "retry",
        "score the failed rows of a batch again",
        """\
  paygrade jobs retry batch_0193a4c5-…
  paygrade jobs retry batch_0193a4c5-… --corrected errors.ndjson
""",
        retry_arguments,
        run_retry,
    ),
    Command(
        "results",
        "write the results of a batch",
        """\
  paygrade jobs results batch_0193a4c5-… -o scored.csv
""",
        file_arguments,
        run_results,
    ),
    Command(
        "errors",
        "write the rows of a batch that failed",
        """\
  paygrade jobs errors batch_0193a4c5-… | jq -c '.errors[]'
""",
        file_arguments,
        run_errors,
    ),
    Command(
        "delete",
        "delete jobs that have ended",
        """\
  paygrade jobs delete pred_0193a4c5-… batch_0193a4c6-…
""",
        ids_arguments,
        run_delete,
    ),
)
