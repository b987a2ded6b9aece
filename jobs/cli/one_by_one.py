"""Several jobs on one command line: one that cannot be served keeps none of the others from it."""

import sys
from collections.abc import Callable, Sequence

from jobs.cli.errors import NotSo
from jobs.ids import check


def one_by_one(ids: Sequence[str], serve: Callable[[str], None]) -> int:
    """0 if all were served, else 1, with a line for each that was not."""
    for job_id in ids:
        check(job_id)
    status = 0
    for job_id in ids:
        try:
            serve(job_id)
        except NotSo as error:
            print(f"jobs: {job_id}: {error}", file=sys.stderr)
            status = 1
    return status
