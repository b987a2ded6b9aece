"""POST and GET /v1/predictions."""

from dataclasses import dataclass

import orjson
from flask import Blueprint, Response, request

from jobs import ids
from jobs.record import NewJob, Record
from jobs.status import Status
from jobs.store import Store
from model.catalog import Catalog
from model.manifest import Manifest
from model.schema import Fault
from web.body import PredictionBody, read_prediction
from web.door import Door
from web.gather import Gatherer
from web.keys import Keys
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
        body = read_prediction(request)
        job = new_job(body, self.catalog.find(body.model), owner.name)
        record = self.add(job, seconds)
        if record.status.ended:
            return _resource(record, 200, {"Preference-Applied": f"wait={seconds}"})
        return _resource(record, 202, {"Location": path_of(job.id)})

    def add(self, job: NewJob, seconds: float) -> Record:
        """Adds the job and waits so long for its end; the record then known, ended or not."""
        waiter = self.waiting.enter(job.id) if seconds else None
        if waiter is None:
            self.door.add(job)
            return Record.queued(job)
        with waiter:
            job.watcher = self.waiting.channel
            self.door.add(job)
            return waiter.wait(seconds) or Record.queued(job)

    def show(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        seconds = queried_wait(request)
        return _resource(self._owned(job_id, owner.name, seconds), 200)

    def cancel(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        self._owned(job_id, owner.name)
        status = self.store.cancel(job_id)
        if status is not Status.CANCELED:
            raise Problem(409, f"only a job that is queued can be canceled; this one is {status or 'gone'}")
        return _resource(self._owned(job_id, owner.name), 200)

    def _owned(self, job_id: str, owner: str, seconds: float = 0) -> Record:
        """Raises Problem: 404 for what this owner never had, 410 for what is expired and removed."""
        created = ids.created_ms(job_id)
        record = self._read(job_id, seconds)
        if record is None and ids.older_than(created, self.store.retention_ms):
            raise Problem(410, "this prediction has expired and was removed")
        if record is None or record.owner != owner:
            raise Problem(404, "there is no such prediction")
        return record

    def _read(self, job_id: str, seconds: float) -> Record | None:
        waiter = self.waiting.enter(job_id) if seconds else None
        if waiter is None:
            return self._reading.ask(job_id)
        with waiter:
            [record] = self.store.read([job_id], self.waiting.channel)
            if record is None or record.status.ended:
                return record
            return waiter.wait(seconds) or self._reading.ask(job_id)


def new_job(body: PredictionBody, manifest: Manifest, owner: str) -> NewJob:
    """Raises InvalidRows with all that is wrong with the rows."""
    if body.explain:
        raise Problem(422, "see errors", [Fault("/explain", "this model gives no explanations")])
    schema = manifest.schema
    listed = isinstance(body.inputs, list)
    return NewJob(
        id=ids.new_id(ids.PREDICTION),
        model=manifest.ref,
        sha256=manifest.sha256,
        owner=owner,
        inputs=schema.check_rows(body.inputs) if listed else schema.check_row(body.inputs),
        rows=len(body.inputs) if listed else 1,
        metadata=orjson.dumps(body.metadata) if body.metadata else b"",
    )


def _resource(record: Record, status: int, headers: dict[str, str] | None = None) -> Response:
    response = Response(prediction(record), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    if not record.status.ended:
        response.headers["Retry-After"] = str(POLL_AFTER_SECONDS)
    if headers:
        response.headers.update(headers)
    return response
