"""The client: posts rows and files, waits for their scores, and manages a caller's own jobs."""

import heapq
import math
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Self

import httpx

from paygrade.errors import ConnectionCut, JobFailed, JobUnfinished, PaygradeError, ServiceBusy, Unreachable
from paygrade.formats import MEDIA_TYPES, is_gzip, media_type_of
from paygrade.transport import Resource, Transport

DEFAULT_URL = "http://127.0.0.1:8000"
LONGEST_WAIT = 25
"""Seconds for which the service holds a request until a job has ended."""
LARGEST_PAGE = 100
FILE_SECONDS = 50
"""How much longer than another request the transfer of a file may pause."""
PATIENCE_SECONDS = 60
"""For how long a service that does not answer is asked about a job that it has accepted."""
UPLOAD_ATTEMPTS = 3
PIECE = 256 * 1024
PATHS = {"prediction": "/v1/predictions", "batch": "/v1/batches"}
STATUSES = {
    "prediction": ("queued", "running", "succeeded", "partially_succeeded", "failed", "canceled", "expired"),
    "batch": (
        *("validating", "queued", "running", "finalizing", "succeeded", "partially_succeeded", "failed"),
        *("canceling", "canceled", "expired"),
    ),
}
_KINDS = {"pred": "prediction", "batch": "batch"}

Row = Mapping[str, Any]
OnSent = Callable[[int, int | None], object]
"""Called with the bytes that were sent so far, and with the size of the file if it is known."""


class Client:
    """Calls one service; `PAYGRADE_URL` and `PAYGRADE_KEY` are the defaults of the address and the key.

    Every method raises ServiceRefused or NoAnswer, or one of their subclasses. Jobs are resources as the
    service describes them in its OpenAPI document.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        url = url or os.environ.get("PAYGRADE_URL") or DEFAULT_URL
        key = os.environ.get("PAYGRADE_KEY", "") if key is None else key
        self._transport = Transport(url, key, transport)
        self._sleep = sleep
        self._now = now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def predict(self, inputs: Row | Sequence[Row], *, timeout: float = 60, **options: Any) -> Resource:
        """Submits rows and waits for their scores; the options are those of `submit`.

        Raises JobFailed if no row was scored and JobUnfinished if it takes longer than `timeout` seconds.
        """
        deadline = self._now() + timeout
        job = self.submit(inputs, timeout=timeout, **options)
        if not job["finished_at"]:
            job = self.wait(job["id"], timeout=deadline - self._now())
        if job["status"] not in ("succeeded", "partially_succeeded"):
            raise JobFailed(job)
        return job

    def submit(
        self,
        inputs: Row | Sequence[Row],
        *,
        model: str | None = None,
        explain: bool = False,
        metadata: Mapping[str, Any] | None = None,
        webhook: str | None = None,
        timeout: float = 60,
    ) -> Resource:
        """Posts one row, or a list of rows, as a prediction.

        `webhook` is an https address that is told when the job has ended. A post that may not have arrived is
        repeated with its Idempotency-Key for `timeout` seconds: it never makes a second job.
        """
        body = {"inputs": inputs, **_given(model=model, explain=explain or None, metadata=metadata)}
        body |= _given(webhook=webhook)
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return self._retried(
            lambda: self._transport.ask("POST", PATHS["prediction"], json=body, headers=headers),
            (ConnectionCut, ServiceBusy),
            seconds=timeout,
        )

    def upload(
        self,
        file: str | Path | BinaryIO,
        *,
        format: str | None = None,  # noqa: A002
        model: str | None = None,
        results: str | None = None,
        explain: bool = False,
        include_inputs: bool = False,
        prefix: str | None = None,
        delimiter: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
        missing: str | None = None,
        error_inputs: bool = False,
        escape_formulas: bool = False,
        webhook: str | None = None,
        on_sent: OnSent = lambda sent, size: None,
    ) -> Resource:
        """Posts a file as a batch; a name is sent again if that may help, an open file is not.

        `format` and `results` are csv, ndjson or parquet; by default the ending of the name decides, or else
        the first bytes. `delimiter`, `decimal` and `encoding` are those of the file, if the service does not
        find them; `missing` are texts for missing values, as in `NA,?`. With `error_inputs` the errors have
        each failed row, to be corrected and sent to `retry`. `escape_formulas` is for CSV results. `webhook`
        is an address that is told when the batch has ended.
        """
        name = str(file) if isinstance(file, str | Path) else ""
        headers = _headers_of(name, format)
        params = _given(model=model, results=results, prefix=prefix, webhook=webhook)
        params |= _given(delimiter=delimiter, decimal=decimal, encoding=encoding, missing=missing)
        params |= _flags(explain=explain, include_inputs=include_inputs)
        params |= _flags(error_inputs=error_inputs, escape_formulas=escape_formulas)
        return self._retried(
            lambda: self._send_file(file, params, headers, on_sent), attempts=UPLOAD_ATTEMPTS if name else 1
        )

    def _send_file(
        self, file: str | Path | BinaryIO, params: Resource, headers: dict[str, str], on_sent: OnSent
    ) -> Resource:
        with _opened(file) as (opened, size):
            sent = headers if size is None else headers | {"Content-Length": str(size)}
            content = _pieces(opened, size, on_sent)
            return self._transport.ask(
                "POST", PATHS["batch"], FILE_SECONDS, params=params, headers=sent, content=content
            )

    def download(
        self,
        batch_id: str,
        write: Callable[[bytes], object],
        *,
        what: str = "results",
        first: int | None = None,
    ) -> None:
        """Writes the results (or `what="errors"`) of a batch piece by piece, or only their first bytes."""
        self._transport.fetch(f"{path_of(batch_id)}/{what}", write, first, FILE_SECONDS)

    def wait(self, job_id: str, timeout: float | None = None) -> Resource:
        """The job once it has ended. Raises JobUnfinished after `timeout` seconds."""
        deadline = math.inf if timeout is None else self._now() + timeout
        while True:
            left = deadline - self._now()
            job = self._look(job_id, wait=max(left, 1), seconds=min(max(left, 0), PATIENCE_SECONDS))
            if job["finished_at"]:
                return job
            if self._now() >= deadline:
                raise JobUnfinished(f"{job_id} is still {job['status']}")

    def follow(self, job_id: str, every: float = 0.2) -> Iterator[Resource]:
        """The job as it is every so many seconds, and at last as it ended."""
        while True:
            job = self._look(job_id, wait=0, seconds=PATIENCE_SECONDS)
            yield job
            if job["finished_at"]:
                return
            self._sleep(every)

    def show(self, job_id: str, wait: float = 0) -> Resource:
        """The job, after at most `wait` seconds (25) if it has not ended."""
        seconds = int(min(max(wait, 0), LONGEST_WAIT))
        params = {"wait": seconds} if seconds else {}
        return self._transport.ask("GET", path_of(job_id), held=seconds, params=params)

    def list_jobs(
        self, *, kind: str | None = None, status: str | None = None, limit: int = 20
    ) -> Iterator[Resource]:
        """The newest jobs first: predictions and batches, or one kind of them."""
        pages = [
            self._list(path, status, limit)
            for each, path in PATHS.items()
            if kind in (None, each) and status in (None, *STATUSES[each])
        ]
        return islice(heapq.merge(*pages, key=_time_of, reverse=True), limit)

    def cancel(self, job_id: str) -> Resource:
        """Raises Conflict if the job can no longer be canceled."""
        return self._transport.ask("POST", f"{path_of(job_id)}/cancel")

    def retry(self, batch_id: str, corrected: str | Path | BinaryIO | None = None) -> Resource:
        """A new batch that scores the failed rows again; what was scored keeps its scores.

        `corrected` is an errors file in which each line has a corrected `input`. Raises Conflict for a batch
        that has no failed rows.
        """
        path, headers = f"{path_of(batch_id)}/retry", {"Idempotency-Key": uuid.uuid4().hex}
        if corrected is None:
            return self._retried(lambda: self._transport.ask("POST", path, headers=headers), attempts=3)
        headers["Content-Type"] = MEDIA_TYPES["ndjson"]
        with _opened(corrected) as (opened, size):
            content = _pieces(opened, size, lambda sent, of: None)
            return self._transport.ask("POST", path, FILE_SECONDS, headers=headers, content=content)

    def delete(self, job_id: str) -> None:
        """Removes a job that has ended. Raises Conflict if it has not."""
        self._transport.ask("DELETE", path_of(job_id))

    def models(self) -> list[Resource]:
        return list(self._transport.ask("GET", "/v1/models")["data"])

    def capacity(self) -> Resource:
        """What waits, how many workers there are, their rate, and whether jobs are accepted."""
        return self._transport.ask("GET", "/v1/capacity")

    def _list(self, path: str, status: str | None, limit: int) -> Iterator[Resource]:
        cursor = None
        while limit > 0:
            params = _given(cursor=cursor, status=status, limit=min(limit, LARGEST_PAGE))
            page = self._transport.ask("GET", path, params=params)
            yield from page["data"]
            limit -= len(page["data"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _look(self, job_id: str, wait: float, seconds: float) -> Resource:
        return self._retried(lambda: self.show(job_id, wait), seconds=seconds)

    def _retried(
        self,
        ask: Callable[[], Resource],
        errors: tuple[type[Unreachable | ConnectionCut | ServiceBusy], ...] = (
            Unreachable,
            ConnectionCut,
            ServiceBusy,
        ),
        *,
        seconds: float = math.inf,
        attempts: float = math.inf,
    ) -> Resource:
        """Asks again after these errors, for so many seconds and at most so often."""
        until = self._now() + seconds
        while True:
            try:
                return ask()
            except errors as error:
                attempts -= 1
                if attempts <= 0 or self._now() + error.retry_after > until:
                    raise
                self._sleep(error.retry_after)


def path_of(job_id: str) -> str:
    """Raises PaygradeError for what is not the id of a prediction or a batch."""
    prefix, _, number = job_id.partition("_")
    try:
        known = prefix in _KINDS and str(uuid.UUID(number)) == number
    except ValueError:
        known = False
    if not known:
        raise PaygradeError(f"{job_id!a} is not the id of a job: it must be pred_ or batch_ and a UUID")
    return f"{PATHS[_KINDS[prefix]]}/{job_id}"


def _headers_of(name: str, format: str | None) -> dict[str, str]:  # noqa: A002
    headers = {
        "Content-Type": MEDIA_TYPES[format] if format else media_type_of(name),
        "Idempotency-Key": uuid.uuid4().hex,
    }
    return {**headers, "Content-Encoding": "gzip"} if is_gzip(name) else headers


def _flags(**wanted: bool) -> dict[str, str]:
    return {name: "true" for name, is_wanted in wanted.items() if is_wanted}


def _given(**values: Any) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def _time_of(job: Resource) -> str:
    """Ids of both kinds sort by the time at which their jobs were made (UUIDv7)."""
    return str(job["id"]).partition("_")[2]


@contextmanager
def _opened(file: str | Path | BinaryIO) -> Iterator[tuple[BinaryIO, int | None]]:
    """The file, and its size if it is known."""
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            yield opened, os.fstat(opened.fileno()).st_size
    else:
        yield file, None


def _pieces(file: BinaryIO, size: int | None, on_sent: OnSent) -> Iterator[bytes]:
    sent = 0
    while piece := file.read(PIECE):
        yield piece
        sent += len(piece)
        on_sent(sent, size)
