"""python -m ops jobs: lists, shows, cancels and deletes jobs of any owner."""

import argparse
from collections.abc import Callable, Sequence

from jobs.batches.status import BatchStatus
from jobs.predictions.status import PredictionStatus
from jobs.settings import Settings
from ops.errors import CommandFailed
from ops.numbers import positive_int
from ops.render import as_json, members, table
from ops.stored_jobs import Resource, StoredJobs
from ops.verbs import Verb, act_on_each, id_argument, ids_argument

HELP = "list, show, cancel or delete jobs of any owner"
ANY_STATUS = list(dict.fromkeys([*PredictionStatus, *BatchStatus]))


def list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--owner", metavar="NAME", help="only the jobs of this owner (anonymous if there are no keys)"
    )
    parser.add_argument("--kind", choices=["prediction", "batch"], help="only jobs of this kind")
    parser.add_argument(
        "--status",
        choices=ANY_STATUS,
        metavar="STATUS",
        help=f"only jobs with this status: {', '.join(ANY_STATUS)}",
    )
    parser.add_argument(
        "--limit", type=positive_int, default=20, metavar="N", help="at most so many (%(default)s)"
    )


def run_list(options: argparse.Namespace, settings: Settings) -> int:
    """Lists jobs, the newest first.

    Without --owner, all keys in Redis are scanned for owners, which takes seconds if there are millions.
    """
    found = StoredJobs.connect(settings).list_jobs(
        owner=options.owner, kind=options.kind, status=options.status, limit=options.limit
    )
    if options.json:
        for job in found:
            print(as_json(job))
    else:
        print("\n".join(table(("id", "status", "owner", "model", "created", "error"), map(_cells, found))))
    return 0


def run_show(options: argparse.Namespace, settings: Settings) -> int:
    """Shows everything that Redis has of a job, whichever owner it has."""
    job = StoredJobs.connect(settings).show(options.id)
    print(as_json(job) if options.json else "\n".join(members(job)))
    return 0


def run_cancel(options: argparse.Namespace, settings: Settings) -> int:
    """Cancels predictions that are queued, and batches that have not ended."""
    jobs = StoredJobs.connect(settings)

    def cancel(job_id: str) -> None:
        job = jobs.cancel(job_id)
        print(as_json(job) if options.json else f"{job_id} {job['status']}")

    return _each(jobs, options.ids, cancel)


def run_delete(options: argparse.Namespace, settings: Settings) -> int:
    """Deletes jobs that have ended, with all that is kept of them."""
    jobs = StoredJobs.connect(settings)

    def delete(job_id: str) -> None:
        jobs.delete(job_id)
        print(as_json({"id": job_id, "deleted": True}) if options.json else f"{job_id} deleted")

    return _each(jobs, options.ids, delete)


def _each(jobs: StoredJobs, ids: Sequence[str], act: Callable[[str], None]) -> int:
    for job_id in ids:
        jobs.check(job_id)  # no job is changed if an id is not one
    return act_on_each(ids, act, CommandFailed)


def _cells(job: Resource) -> list[object]:
    model, error = job["model"], job["error"]
    named = f"{model['name']}@{model['version']}"
    return [job["id"], job["status"], job["owner"], named, job["created_at"], error and error["type"]]


VERBS = (
    Verb(
        "list",
        "list jobs",
        """\
  python -m ops jobs list --status failed --limit 500
  python -m ops jobs list --owner alice --kind batch --json
""",
        list_arguments,
        run_list,
    ),
    Verb("show", "show a job", "  python -m ops jobs show pred_0193a4c5-…\n", id_argument, run_show),
    Verb(
        "cancel",
        "cancel jobs",
        """\
  python -m ops jobs cancel batch_0193a4c5-…
  python -m ops jobs list --status queued --json | jq -r .id | xargs python -m ops jobs cancel
""",
        ids_argument,
        run_cancel,
    ),
    Verb(
        "delete",
        "delete jobs that have ended",
        "  python -m ops jobs delete pred_0193a4c5-…\n",
        ids_argument,
        run_delete,
    ),
)
