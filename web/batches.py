"""/v1/batches: post, show, list, results, errors, cancel, delete."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import gevent
import orjson
from flask import Blueprint, Response, request

from jobs import ids
from jobs.batches.record import BatchRecord, folder_of, output_of
from jobs.batches.resource import PATH, batch, path_of
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.errors import FileMissing, UnknownRecord
from jobs.files.location import files_at
from jobs.files.store import FileStore
from jobs.files.tables import MEDIA_TYPES, Format
from jobs.queues.wake_ups import SendWakeUp
from jobs.settings import Settings
from model.description.catalog import Catalog
from web.admission import Admission
from web.answer import Answer
from web.batch_body import read_batch
from web.batch_post import BatchPost
from web.keys import Keys, Owner
from web.pages import Page
from web.preferences import LONGEST_SECONDS, queried_wait, require_json_wanted
from web.problems import Problem
from web.stored import send_stored
from web.waiting import Waiting

LOOKS_EVERY_SECONDS = 0.25
"""How often the record is read for a caller who waits."""


@dataclass
class BatchRoutes:
    """What the routes stand on."""

    settings: Settings
    keys: Keys
    catalog: Catalog
    store: BatchStore
    files: FileStore
    door: Admission
    waiting: Waiting
    ring: SendWakeUp

    def blueprint(self) -> Blueprint:
        routes = Blueprint("batches", __name__, url_prefix=PATH)
        routes.add_url_rule("", view_func=self.post, methods=["POST"])
        routes.add_url_rule("", view_func=self.list_batches)
        routes.add_url_rule("/<job_id>", view_func=self.show)
        routes.add_url_rule("/<job_id>", view_func=self.delete, methods=["DELETE"])
        routes.add_url_rule("/<job_id>/cancel", view_func=self.cancel, methods=["POST"])
        routes.add_url_rule("/<job_id>/results", view_func=self.results)
        routes.add_url_rule("/<job_id>/errors", view_func=self.errors)
        return routes

    def post(self) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        asked = read_batch(request, self.catalog, self.settings.s3_allow)
        self.door.require_open()
        posting = BatchPost(self.settings, self.store, self.files, self.ring)
        posted = posting.post(request, owner.name, asked)
        if asked.asked.dry_run:
            return self._dry_run(posted.id)
        record = self._read(posted.id)
        if record is None:
            raise Problem(
                409, "the batch of this Idempotency-Key has just been removed; send the request again"
            )
        headers = {"Idempotency-Replayed": "true"} if posted.replayed else {}
        return _resource(record, 202, {"Location": path_of(record.id), **headers})

    def show(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        seconds = queried_wait(request)
        record = self._owned(job_id, owner)
        return _resource(self._wait(record, seconds) if seconds else record, 200)

    def list_jobs(self) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        page = Page.read(request, ids.BATCH, BatchStatus)
        records, cursor = page.find(self.store.list_jobs, owner.name)
        return Answer(
            page.show(list(map(batch, records)), cursor, PATH), headers={"Cache-Control": "no-store"}
        )

    def cancel(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        require_json_wanted(request)
        self._owned(job_id, owner)
        status = self.store.cancel(job_id)
        if status not in (BatchStatus.CANCELED, BatchStatus.CANCELING):
            raise Problem(409, f"this batch cannot be canceled any more; it is {status or 'gone'}")
        return _resource(self._owned(job_id, owner), 200 if status.ended else 202)

    def delete(self, job_id: str) -> Response:
        owner = self.keys.owner_of(request)
        self._owned(job_id, owner)
        status = self.store.delete(job_id)
        if status is None:
            raise Problem(404, "there is no such batch")
        if not status.ended:
            raise Problem(409, f"only a batch that has ended can be deleted; this one is {status}")
        return Answer(status=204)

    def results(self, job_id: str) -> Response:
        return self._send(job_id, "result")

    def errors(self, job_id: str) -> Response:
        return self._send(job_id, "errors")

    def _send(self, job_id: str, name: str) -> Response:
        record = self._owned(job_id, self.keys.owner_of(request))
        if not record.status.ended:
            raise Problem(
                409, f"the batch has not ended; it is {record.status}", headers={"Retry-After": "1"}
            )
        kind = record.asked.results if name == "result" else Format.NDJSON
        place = output_of(job_id, record.asked, name)
        files = files_at(place.store) if place.store else self.files
        try:
            return send_stored(request, files, place.name, MEDIA_TYPES[kind], f"{job_id}-{name}")
        except FileMissing:
            raise Problem(409, f"this batch is {record.status}, and has no results") from None

    def _dry_run(self, job_id: str) -> Response:
        record = self._read(job_id)
        if record and not record.status.ended:
            record = self._wait(record, LONGEST_SECONDS)
        try:
            if record is None or not record.status.ended:
                self.store.cancel(job_id)
                raise Problem(503, "no worker looked at it in time", headers={"Retry-After": "5"})
            if record.status is not BatchStatus.SUCCEEDED:
                raise Problem(422, orjson.loads(record.error or b"{}").get("detail", "it could not be read"))
            return Answer(self.files.read(f"{folder_of(job_id)}/look"), headers={"Cache-Control": "no-store"})
        finally:
            self.store.delete(job_id)

    def _owned(self, job_id: str, owner: Owner) -> BatchRecord:
        """Raises Problem: 404 for what this owner never had, 410 for what is expired and removed."""
        ids.check(job_id, ids.BATCH)
        record = self._read(job_id)
        if record is None and ids.older_than(job_id, self.store.retention_ms):
            raise Problem(410, "this batch has expired and was removed")
        if record is None or record.owner != owner.name:
            raise Problem(404, "there is no such batch")
        return record

    def _read(self, job_id: str) -> BatchRecord | None:
        [record] = self.store.read([job_id])
        if isinstance(record, UnknownRecord):
            raise record
        return record

    def _wait(self, record: BatchRecord, seconds: float) -> BatchRecord:
        """The record once the batch has ended, or as it is when the time is over."""
        until = time.monotonic() + seconds
        while not record.status.ended and time.monotonic() < until and self.waiting.open_to_more:
            gevent.sleep(LOOKS_EVERY_SECONDS)
            record = self._read(record.id) or record
        return record


def _resource(record: BatchRecord, status: int, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    if not record.status.ended:
        sent["Retry-After"] = "1"
    return Answer(batch(record), status, sent)
