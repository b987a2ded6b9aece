"""POST and GET /v1/predictions."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import orjson
from flask import Blueprint, Response, request

from jobs import ids
from jobs.errors import JobsError
from jobs.record import NewJob, Record
from jobs.status import Status
from jobs.store import Store
from model.catalog import Catalog
from web.answer import Answer
from web.body import Asked, read_prediction
from web.door import Door
from web.gather import Gatherer
from web.keys import Keys, Owner
from web.preferences import preferred_wait, queried_wait, require_json_wanted
from web.problems import Problem
from web.resource import POLL_AFTER_SECONDS, path_of, prediction
from web.waiting import Waiting


@dataclass
class Predictions:
    """What the routes stand on."""

    keys: Keys
    catalog: Catalog
    store: Store
    door: Door
    waiting: Waiting

    def __post_init__(self) -> None:
        self._reading: Gatherer[str, Record | None] = Gatherer(self.store.read)

    def blueprint(self) -> Blueprint:
        routes = Blueprint("predictions", __name__, url_prefix="/v1/predictions")
        routes.add_url_rule("", view_func=self.post, methods=["POST"])
        routes.add_url_rule("/<job_id>", view_func=self.show)
        routes.add_url_rule("/<job_id>/cancel", view_func=self.cancel, methods=["POST"])
        return routes

    def post(self) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        seconds = preferred_wait(request)
        record = self.add(read_prediction(request, self.catalog), owner, seconds)
        if record.status.ended:
            return _resource(record, 200, {"Preference-Applied": f"wait={seconds}"})
        return _resource(record, 202, {"Location": path_of(record.id)})

    def add(self, asked: Asked, owner: Owner, seconds: float) -> Record:
        """Adds a job and waits so long for its end; the record then known, ended or not."""
        job = new_job(asked, owner)
        queued = Record.queued(job)
        waiter = self.waiting.enter(queued) if seconds else None
        if waiter is None:
            self.door.add(job)
            return queued
        with waiter:
            job.watcher = self.waiting.channel
            self.door.add(job)
            if record := waiter.wait(seconds):
                return record
        with suppress(JobsError):
            return self._reading.ask(job.id) or queued
        return queued  # it was accepted, and that is all that is known

    def show(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        seconds = queried_wait(request)
        record = self._owned(job_id, owner)
        if seconds and not record.status.ended:
            record = self._wait(record, seconds) or record
        return _resource(record, 200)

    def cancel(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        self._owned(job_id, owner)
        status = self.store.cancel(job_id)
        if status is not Status.CANCELED:
            raise Problem(409, f"only a job that is queued can be canceled; this one is {status or 'gone'}")
        return _resource(self._owned(job_id, owner), 200)

    def _owned(self, job_id: str, owner: Owner) -> Record:
        """Raises Problem: 404 for what this owner never had, 410 for what is expired and removed."""
        ids.check(job_id)
        record = self._reading.ask(job_id)
        if record is None and ids.older_than(job_id, self.store.retention_ms):
            raise Problem(410, "this prediction has expired and was removed")
        if record is None or record.owner != owner.name:
            raise Problem(404, "there is no such prediction")
        return record

    def _wait(self, record: Record, seconds: float) -> Record | None:
        waiter = self.waiting.enter(record)
        if waiter is None:
            return None
        with waiter:
            [now] = self.store.read([record.id], self.waiting.channel)
            if isinstance(now, Record) and now.status.ended:
                return now
            return waiter.wait(seconds) or self._reading.ask(record.id)


def new_job(asked: Asked, owner: Owner) -> NewJob:
    return NewJob(
        id=ids.new_id(ids.PREDICTION),
        model=asked.manifest.ref,
        sha256=asked.manifest.sha256,
        owner=owner.name,
        inputs=orjson.dumps(asked.inputs),
        rows=asked.rows,
        metadata=orjson.dumps(asked.metadata) if asked.metadata else b"",
    )


def _resource(record: Record, status: int, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    if not record.status.ended:
        sent["Retry-After"] = str(POLL_AFTER_SECONDS)
    return Answer(prediction(record), status, sent)
