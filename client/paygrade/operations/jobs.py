"""Jobs of both kinds, each given by its id or its resource: shown, waited for, listed, canceled, deleted."""

import heapq
import math
from collections.abc import AsyncGenerator, Mapping
from itertools import islice
from typing import Any, TypeAlias, cast

from paygrade.calling.answers import HttpAnswer
from paygrade.calling.caller import Caller
from paygrade.calling.requests import HttpRequest, get
from paygrade.errors import Conflict, JobUnfinished, NotFound
from paygrade.resources import PATHS, STATUSES, Job, given, path_of

LONGEST_WAIT = 25
"""Seconds for which the service holds a request until a job has ended."""
PATIENCE_SECONDS = 60.0
"""How long a service that does not answer is asked about a job that it has accepted."""
SHORTEST_LOOK, LONGEST_LOOK = 0.2, 2.0
"""Seconds between two looks at a job that is followed: a tenth of how long it has run."""
LARGEST_PAGE = 100

JobRef: TypeAlias = str | Mapping[str, Any]


async def get_job(caller: Caller, job: JobRef, *, wait: float = 0) -> Job:
    """The job, after at most `wait` seconds (25) if it has not ended."""
    return _job(await _look(caller, job, wait, caller.timeout))


async def wait(caller: Caller, job: JobRef, timeout: float | None = None) -> Job:
    """The job once it has ended. Raises JobUnfinished after `timeout` seconds; the job then continues."""
    until = math.inf if timeout is None else caller.now() + timeout
    while True:
        sent_at, left = caller.now(), max(until - caller.now(), 0)
        answer = await _look(caller, job, max(left, 1), min(max(left, 1), PATIENCE_SECONDS))
        found = _job(answer)
        if found["finished_at"]:
            return found
        if caller.now() >= until:
            raise JobUnfinished(found)
        if caller.now() - sent_at < 1:  # it does not hold requests at present
            await caller.pause(min(answer.retry_after or 1, max(until - caller.now(), 0)))


async def follow(caller: Caller, job: JobRef) -> AsyncGenerator[Job, None]:
    """The job as it is again and again, and at last as it ended."""
    started = caller.now()
    while True:
        found = _job(await _look(caller, job, 0, PATIENCE_SECONDS))
        yield found
        if found["finished_at"]:
            return
        await caller.pause(min(max((caller.now() - started) / 10, SHORTEST_LOOK), LONGEST_LOOK))


async def list_jobs(
    caller: Caller, *, kind: str | None = None, status: str | None = None, limit: int = 20
) -> list[Job]:
    """The newest jobs first: predictions and batches, or one kind of them (`prediction`, `batch`)."""
    pages = [
        await _list(caller, path, status, limit)
        for each, path in PATHS.items()
        if kind in (None, each) and status in (None, *STATUSES[each])
    ]
    return list(islice(heapq.merge(*pages, key=_time_of, reverse=True), limit))


async def cancel(caller: Caller, job: JobRef) -> Job:
    """Raises Conflict if the job can no longer be canceled."""
    try:
        return cast(Job, await caller.ask(HttpRequest("POST", f"{path_of(job)}/cancel")))
    except Conflict as error:
        if error.after_lost_answer and (found := await get_job(caller, job))["status"].startswith("cancel"):
            return found
        raise


async def delete(caller: Caller, job: JobRef) -> None:
    """Removes a job that has ended, with all that is kept of it. Raises Conflict if it has not ended."""
    try:
        await caller.ask(HttpRequest("DELETE", path_of(job)))
    except NotFound as error:
        if not error.after_lost_answer:
            raise


async def _look(caller: Caller, job: JobRef, held: float, seconds: float) -> HttpAnswer:
    """The service accepted this job, so that it may be away for as long as another answer may take."""
    request = get(path_of(job), held=int(min(max(held, 0), LONGEST_WAIT)))
    return await caller.answer(request, seconds, unreachable=seconds)


async def _list(caller: Caller, path: str, status: str | None, limit: int) -> list[Job]:
    found: list[Job] = []
    cursor = None
    while len(found) < limit:
        params = given(cursor=cursor, status=status, limit=min(limit - len(found), LARGEST_PAGE))
        page = await caller.ask(get(path, **params))
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return found


def _job(answer: HttpAnswer) -> Job:
    return cast(Job, answer.resource())


def _time_of(job: Job) -> str:
    """Ids of both kinds sort by the time at which their jobs were made (UUIDv7)."""
    return job["id"].partition("_")[2]
