"""Jobs: the visitor's own, one of them, and what can be done with it."""

from collections.abc import Mapping
from typing import Any

from jobs import ids
from jobs.batches.resource import PATH as BATCHES
from jobs.predictions.resource import PATH as PREDICTIONS
from web.app import JsonResponse
from web.own_api import Api, Refused, segment
from web.page.pages import PageRoutes, page
from web.page.requests import read_form
from web.page.scoring import FORMATS
from web.page.tables import START_BYTES, corrected, failed_rows, read_first_rows
from web.page.writing import seconds_between
from web.requests import ApiRequest

KINDS = {"predictions": PREDICTIONS, "batches": BATCHES}
OF_EACH_KIND = 15
MOST_OUTPUTS = 100
MOST_FILES = 100


class JobPages(PageRoutes):
    @page("GET", "/jobs")
    def list(self, request: ApiRequest) -> JsonResponse:
        kind = request.args.get("kind", "")
        paths = [KINDS[kind]] if kind in KINDS else [*KINDS.values()]
        api, limit = self.pages.api(request), OF_EACH_KIND
        query = {name: request.args.get(name, "") for name in ("status", "cursor")}
        if len(paths) > 1:
            query = {}
        lists = [api.get(path, limit=limit, **query) for path in paths]
        found = sorted((job for each in lists for job in each["data"]), key=_created, reverse=True)
        following = lists[0]["next_cursor"] if len(paths) == 1 else None
        return self.pages.show(
            request, "jobs", jobs=found, kind=kind, query=query, following=following, live=True
        )

    @page("GET", "/job")
    def show(self, request: ApiRequest) -> JsonResponse:
        api, job_id = self.pages.api(request), request.args.get("id", "")
        job = api.get(_path(job_id))
        ended = job["finished_at"] is not None
        if job["object"] == "prediction":
            outputs = [job["output"]] if job.get("output") else job.get("outputs", [])
            return self.pages.show(
                request,
                "prediction",
                job=job,
                outputs=outputs[:MOST_OUTPUTS],
                total=len(outputs),
                live=not ended,
            )
        return self.pages.show(request, "batch", job=job, live=not ended, formats=FORMATS, **_batch(api, job))

    @page("POST", "/job")
    def act(self, request: ApiRequest) -> JsonResponse:
        sent = read_form(request)
        api, job_id, action = self.pages.api(request), sent.get("id", ""), sent.get("action")
        if action == "delete":
            api.delete(_path(job_id))
            return self.pages.lead_to("jobs")
        if action == "retry":
            return self.pages.lead_to(f"job?id={_retried(api, job_id, sent)['id']}")
        api.post(f"{_path(job_id)}/cancel")
        return self.pages.lead_to(f"job?id={segment(job_id)}")


def _created(job: Mapping[str, Any]) -> str:
    created: str = job["created_at"]
    return created


def _path(job_id: str) -> str:
    kind = BATCHES if job_id.startswith(ids.BATCH) else PREDICTIONS
    return f"{kind}/{segment(job_id)}"


def _batch(api: Api, job: Mapping[str, Any]) -> dict[str, Any]:
    """How fast it is and, once it has ended, the first rows of its files."""
    counts = job["counts"]
    done = counts["succeeded"] + counts["failed"]
    seconds = seconds_between(job["started_at"], job["finished_at"])
    shown: dict[str, Any] = {"rate": round(done / seconds), "first_rows": None, "failed": None, "files": []}
    shown["has_results"] = shown["has_errors"] = False
    if job["finished_at"] is None:
        return shown
    if "files" in job:
        return shown | _files(api, job)
    if (first := _first_rows(api, job)) is not None:
        shown |= {"has_results": True, "first_rows": read_first_rows(first, job["results"], done)}
    if counts["failed"] and (errors := _start(api, job["urls"]["errors"])):
        shown |= {"has_errors": True, "failed": failed_rows(*errors)}
    return shown


def _files(api: Api, job: Mapping[str, Any]) -> dict[str, Any]:
    """The files of a batch of several, the first of them if they are many; none if there is no manifest."""
    try:
        manifest = api.get(job["urls"]["manifest"])
    except Refused:
        return {}
    files = manifest["files"]
    return {"files": files[:MOST_FILES], "more_files": len(files) > MOST_FILES}


def _first_rows(api: Api, job: Mapping[str, Any]) -> bytes | None:
    """None if the batch has no results."""
    try:
        return api.read(f"{job['urls']['self']}/preview")
    except Refused:
        return None


def _start(api: Api, path: str) -> tuple[bytes, bool] | None:
    """None if the batch has no such file."""
    try:
        return api.start_of(path, START_BYTES)
    except Refused:
        return None


def _retried(api: Api, job_id: str, sent: Mapping[str, str]) -> Any:
    path = _path(job_id)
    errors = _start(api, f"{path}/errors")
    lines = corrected(*errors, sent) if errors else []
    return api.post_lines(f"{path}/retry", lines) if lines else api.post(f"{path}/retry")
