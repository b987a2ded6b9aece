"""A batch on its way in: its file into the file store, then its record into Redis; once only, if asked."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import NamedTuple

import gevent
import orjson
from flask import Request

from jobs import ids
from jobs.batches.record import BatchOptions, NewBatch, folder_of, input_of, source_of
from jobs.batches.resource import PATH
from jobs.batches.store import RESERVATION_MS, BatchStore
from jobs.errors import FileMissing, FilesForbidden, IdempotencyKeyReused, InvalidTable, JobsError
from jobs.files.gunzip import MAGIC
from jobs.files.location import files_at
from jobs.files.store import FileStore
from jobs.files.tables import Format, added_names, check_columns, read_header
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.wake_ups import SendWakeUp, try_wake_up
from jobs.settings import Settings
from model.description.schema import Fault
from web.batch_body import BatchRequest
from web.problems import Problem
from web.terms import key_of, start_within_ms
from web.upload import Upload, too_long


class Posted(NamedTuple):
    id: str
    replayed: bool = False


class BatchPost:
    def __init__(self, settings: Settings, store: BatchStore, files: FileStore, ring: SendWakeUp) -> None:
        self._settings = settings
        self._store = store
        self._files = files
        self._ring = ring

    def post(self, request: Request, owner: str, asked: BatchRequest) -> Posted:
        """Returns once the batch is recorded and in the line, or the one that its Idempotency-Key stands for.

        Raises Problem, and what the store raises: then it is not accepted as far as we know.
        """
        job_id = ids.new_id(ids.BATCH)
        start_within = start_within_ms(request)
        upload = Upload(request, self._settings.max_file, lambda start: look(start, asked))
        # What is asked counts to the body: the same key with other options is another request.
        upload.hash.update(asked.said())
        key = key_of(request)
        digest = IdempotencyKey.of(PATH, key, b"").key if key is not None else b""
        if digest and (known := self._store.reserve_key(owner, digest, job_id)):
            if not known.id:
                raise Problem(409, "a request with this Idempotency-Key is still arriving; wait for it")
            return self._replay(known.id, known.body, asked, upload)
        with self._claimed(owner, digest, job_id), self._saved(job_id):
            self._store.check_limits(owner)  # before all of its file has come
            stored, size = self._save(job_id, asked, upload, hashed=bool(digest))
            batch = NewBatch(
                id=job_id,
                model=asked.manifest.ref,
                sha256=asked.manifest.sha256,
                owner=owner,
                asked=stored,
                size=size,
                metadata=orjson.dumps(asked.metadata),
                start_within_ms=start_within,
                once=IdempotencyKey(digest, upload.hash.digest()[:16]) if digest else None,
            )
            wake_ups = self._store.add(batch)
        for wake_up in wake_ups:
            gevent.spawn(try_wake_up, self._ring, wake_up)
        return Posted(job_id)

    def _save(
        self, job_id: str, asked: BatchRequest, upload: Upload, hashed: bool
    ) -> tuple[BatchOptions, int]:
        """Returns once the input is where workers look for it; with what is asked, its size in bytes."""
        if asked.asked.source:
            return self._look_at_source(asked.asked)
        name = input_of(job_id, asked.asked).name
        if asked.rows is None:
            upload.save(self._files, name, hashed)
            return asked.asked, upload.size
        lines = b"".join(orjson.dumps(row) + b"\n" for row in asked.rows)
        upload.hash.update(lines)
        with self._files.create(name) as file:
            file.write(lines)
        return asked.asked, len(lines)

    def _look_at_source(self, asked: BatchOptions) -> tuple[BatchOptions, int]:
        place = source_of(asked)
        files = files_at(place.store)
        try:
            with files.open(place.name) as file:
                packed = file.read(len(MAGIC)) == MAGIC
            size = files.size(place.name)
        except (FileMissing, FilesForbidden) as error:
            raise Problem(422, "the input cannot be read", [Fault("/input", str(error))]) from None
        if size > self._settings.max_file:
            raise too_long(self._settings.max_file)
        return replace(asked, packed=packed), size

    def _replay(self, job_id: str, body: bytes, asked: BatchRequest, upload: Upload) -> Posted:
        if asked.rows is not None:
            upload.hash.update(b"".join(orjson.dumps(row) + b"\n" for row in asked.rows))
        elif not asked.asked.source:
            upload.read()
        if upload.hash.digest()[:16] != body:
            raise IdempotencyKeyReused
        return Posted(job_id, replayed=True)

    @contextmanager
    def _claimed(self, owner: str, digest: bytes, job_id: str) -> Iterator[None]:
        """While the body arrives, its key stays claimed; if the request comes to nothing, it is released."""
        if not digest:
            yield
            return
        renewing = gevent.spawn(self._renew, owner, digest, job_id)
        try:
            yield
        except BaseException:
            with suppress(JobsError):  # it lapses by itself
                self._store.release_key(owner, digest, job_id)
            raise
        finally:
            renewing.kill()

    def _renew(self, owner: str, digest: bytes, job_id: str) -> None:
        while True:
            gevent.sleep(RESERVATION_MS / 3000)
            with suppress(JobsError):
                self._store.reserve_key(owner, digest, job_id)

    @contextmanager
    def _saved(self, job_id: str) -> Iterator[None]:
        """What is not accepted leaves no file behind."""
        try:
            yield
        except BaseException:
            with suppress(JobsError):  # the sweeper finds it
                self._files.remove(folder_of(job_id))
            raise


def look(start: bytes, asked: BatchRequest) -> None:
    """Raises Problem (422) for a file that by its first bytes is no table of this model."""
    try:
        match asked.asked.input:
            case Format.CSV:
                _look_at_csv(start, asked)
            case Format.NDJSON:
                if not start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
                    raise InvalidTable("line 1: this is no JSON object")
            case Format.PARQUET:
                if not start.startswith(b"PAR1"):
                    raise InvalidTable("this is no Parquet file")
    except InvalidTable as error:
        raise Problem(422, str(error)) from None


def _look_at_csv(start: bytes, asked: BatchRequest) -> None:
    header = read_header(start, asked.asked.encoding)
    manifest, columns = asked.manifest, asked.manifest.columns(asked.asked.explain)
    ours = added_names(columns, manifest.warns, asked.asked.prefix)
    check_columns(header.names, manifest.schema.names, ours)
    if header.end == len(start):
        raise InvalidTable("the file has a header and no rows")
