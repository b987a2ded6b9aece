"""/v1/predictions: post, show, list, cancel, delete."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import orjson
from flask import Blueprint, Request, Response, request

from jobs import ids
from jobs.errors import JobsError
from jobs.predictions.record import NewPrediction, PredictionRecord
from jobs.predictions.resource import PATH, path_of, prediction
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.idempotency import IdempotencyKey
from model.description.catalog import Catalog
from web.admission import Admission
from web.answer import Answer
from web.body import PredictionRequest, read_prediction
from web.group_commit import GroupCommit
from web.keys import Keys, Owner
from web.pages import Page
from web.preferences import preferred_wait, queried_wait, require_json_wanted
from web.problems import Problem
from web.terms import once, start_within_ms
from web.trace import JOB_ID, REQUEST_ID
from web.waiting import Waiting


@dataclass
class PredictionRoutes:
    """What the routes stand on."""

    keys: Keys
    catalog: Catalog
    store: PredictionStore
    door: Admission
    waiting: Waiting

    def __post_init__(self) -> None:
        self._reading: GroupCommit[str, PredictionRecord | None] = GroupCommit(self.store.read)

    def blueprint(self) -> Blueprint:
        routes = Blueprint("predictions", __name__, url_prefix=PATH)
        routes.add_url_rule("", view_func=self.post, methods=["POST"])
        routes.add_url_rule("", view_func=self.list_jobs)
        routes.add_url_rule("/<job_id>", view_func=self.show)
        routes.add_url_rule("/<job_id>", view_func=self.delete, methods=["DELETE"])
        routes.add_url_rule("/<job_id>/cancel", view_func=self.cancel, methods=["POST"])
        return routes

    def post(self) -> Response:
        posted: Request = request._get_current_object()  # type: ignore[attr-defined]  # a look by proxy costs
        owner = self.keys.owner_of(posted)
        require_json_wanted(posted)
        seconds = preferred_wait(posted)
        asked = read_prediction(posted, self.catalog)
        job = new_job(asked, owner, start_within_ms(posted), once(posted, PATH))
        record = self.add(job, seconds)
        headers = {} if record.id == job.id else {"Idempotency-Replayed": "true"}
        if seconds and record.status.ended:
            return self._resource(record, 200, {"Preference-Applied": f"wait={seconds}", **headers})
        return self._resource(record, 202, {"Location": path_of(record.id), **headers})

    def add(self, job: NewPrediction, seconds: float) -> PredictionRecord:
        """Adds a job and waits so long for its end; the record then known, ended or not.

        It is that of another job if this one's Idempotency-Key stands for that.
        """
        waiter = self.waiting.enter(PredictionRecord.queued(job)) if seconds else None
        if waiter is None:
            accepted = self.door.add(job)
            if accepted.replayed:
                return self._replayed(accepted.id, seconds)
            return PredictionRecord.queued(job, accepted)
        with waiter:
            job.watcher = self.waiting.channel
            accepted = self.door.add(job)
            record = None if accepted.replayed else waiter.wait(seconds)
        if record:
            return record._replace(deadline=accepted.deadline) if accepted.deadline else record
        if accepted.replayed:
            return self._replayed(accepted.id, seconds)
        with suppress(JobsError):
            return self._reading.ask(job.id) or PredictionRecord.queued(job, accepted)
        return PredictionRecord.queued(job, accepted)  # and that is all that is known

    def show(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        seconds = queried_wait(request)
        record = self._owned(job_id, owner)
        if seconds and not record.status.ended:
            record = self._wait(record, seconds) or record
        return self._resource(record, 200)

    def list_jobs(self) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        page = Page.read(request, ids.PREDICTION, PredictionStatus)
        records, cursor = page.find(self.store.list_jobs, owner.name)
        resources = [prediction(record, self.door.capacity) for record in records]
        return Answer(page.show(resources, cursor, PATH), headers={"Cache-Control": "no-store"})

    def delete(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        self._owned(job_id, owner)
        status = self.store.delete(job_id)
        if status is None:
            raise Problem(404, "there is no such prediction")
        if not status.ended:
            raise Problem(409, f"only a job that has ended can be deleted; this one is {status}")
        return Answer(status=204)

    def cancel(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        self._owned(job_id, owner)
        status = self.store.cancel(job_id)
        if status is not PredictionStatus.CANCELED:
            raise Problem(409, f"only a job that is queued can be canceled; this one is {status or 'gone'}")
        return self._resource(self._owned(job_id, owner), 200)

    def _owned(self, job_id: str, owner: Owner) -> PredictionRecord:
        """Raises Problem: 404 for what this owner never had, 410 for what is expired and removed."""
        ids.check(job_id)
        record = self._reading.ask(job_id)
        if record is None and ids.older_than(job_id, self.store.retention_ms):
            raise Problem(410, "this prediction has expired and was removed")
        if record is None or record.owner != owner.name:
            raise Problem(404, "there is no such prediction")
        return record

    def _replayed(self, job_id: str, seconds: float) -> PredictionRecord:
        record = self._reading.ask(job_id)
        if record is None:
            raise Problem(
                409, "the job of this Idempotency-Key has just been removed; send the request again"
            )
        if seconds and not record.status.ended:
            return self._wait(record, seconds) or record
        return record

    def _wait(self, record: PredictionRecord, seconds: float) -> PredictionRecord | None:
        waiter = self.waiting.enter(record)
        if waiter is None:
            return None
        with waiter:
            [now] = self.store.read([record.id], self.waiting.channel)
            if isinstance(now, PredictionRecord) and now.status.ended:
                return now
            return waiter.wait(seconds) or self._reading.ask(record.id)

    def _resource(
        self, record: PredictionRecord, status: int, headers: Mapping[str, str] | None = None
    ) -> Response:
        request.environ[JOB_ID] = record.id
        sent = {"Cache-Control": "no-store", **(headers or {})}
        capacity = self.door.capacity
        if record.position:
            sent["Retry-After"] = str(capacity.retry_after(record.rows_left, record.explained))
        elif not record.status.ended:
            sent["Retry-After"] = "1"
        return Answer(prediction(record, capacity), status, sent)


def new_job(
    asked: PredictionRequest,
    owner: Owner,
    start_within_ms: int | None = None,
    once: IdempotencyKey | None = None,
) -> NewPrediction:
    return NewPrediction(
        id=ids.new_id(ids.PREDICTION),
        model=asked.manifest.ref,
        sha256=asked.manifest.sha256,
        owner=owner.name,
        inputs=orjson.dumps(asked.inputs),
        rows=asked.rows,
        explained=asked.rows * len(asked.manifest.schema.names) if asked.explain else 0,
        metadata=orjson.dumps(asked.metadata) if asked.metadata else b"",
        start_within_ms=start_within_ms,
        once=once,
        request_id=request.environ[REQUEST_ID],
    )
