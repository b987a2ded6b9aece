"""The clients: one whose calls block, and one whose calls are awaited. They have the same methods.

Each method is an operation of `paygrade.operations`, where its arguments are described.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self, TypeVar, Unpack, cast, overload

import httpx

from paygrade.calling.caller import Caller
from paygrade.calling.transports import AsyncioTransport, BlockingTransport
from paygrade.operations import batches, jobs, predictions, service, tables
from paygrade.operations.failed_rows import OnFailed
from paygrade.operations.predictions import PredictionOptions
from paygrade.resources import Output, Row
from paygrade.surface import awaited, awaited_each, blocking, blocking_each, finished

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 60.0

TableT = TypeVar("TableT")


class PredictOptions(PredictionOptions, total=False):
    """What `predict` takes besides its inputs."""

    wait: float
    on_failed: OnFailed
    prefix: str


class BlockingPredict(Protocol):
    @overload
    def __call__(self, inputs: Row, **options: Unpack[PredictOptions]) -> Output: ...
    @overload
    def __call__(self, inputs: Sequence[Row], **options: Unpack[PredictOptions]) -> list[Output]: ...
    @overload
    def __call__(self, inputs: TableT, **options: Unpack[PredictOptions]) -> TableT: ...


class AwaitedPredict(Protocol):
    @overload
    def __call__(self, inputs: Row, **options: Unpack[PredictOptions]) -> Awaitable[Output]: ...
    @overload
    def __call__(
        self, inputs: Sequence[Row], **options: Unpack[PredictOptions]
    ) -> Awaitable[list[Output]]: ...
    @overload
    def __call__(self, inputs: TableT, **options: Unpack[PredictOptions]) -> Awaitable[TableT]: ...


class Client:
    """Calls one service; `PAYGRADE_URL` and `PAYGRADE_API_KEY` are the defaults of the address and the key.

    `timeout` is how many seconds a call may take that names none itself, with all of its attempts: a request
    is sent again if its answer is lost, or if the service asks to come back later. Every method may raise
    ServiceRefused or NoAnswer, or one of their subclasses.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        carried_by = BlockingTransport(url_of(url), key_of(key), transport, sleep)
        self.caller = Caller(carried_by, timeout, now, chance)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        finished(self.caller.close())

    predict = cast(BlockingPredict, blocking(predictions.predict))
    submit = blocking(predictions.submit)

    upload = blocking(batches.upload)
    score_file = blocking(batches.score_file)
    download = blocking(batches.download)
    download_files = blocking(batches.download_files)
    manifest = blocking(batches.manifest)
    results = blocking_each(batches.results)
    errors = blocking_each(batches.errors)
    first_errors = blocking(batches.first_errors)
    retry = blocking(batches.retry)
    score = blocking(tables.score)

    get = blocking(jobs.get_job)
    wait = blocking(jobs.wait)
    follow = blocking_each(jobs.follow)
    list = blocking(jobs.list_jobs)
    cancel = blocking(jobs.cancel)
    delete = blocking(jobs.delete)

    models = blocking(service.models)
    model = blocking(service.model)
    capacity = blocking(service.capacity)


class AsyncClient:
    """Has the methods of Client, which are awaited under asyncio."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        carried_by = AsyncioTransport(url_of(url), key_of(key), transport, sleep)
        self.caller = Caller(carried_by, timeout, now, chance)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.caller.close()

    predict = cast(AwaitedPredict, awaited(predictions.predict))
    submit = awaited(predictions.submit)

    upload = awaited(batches.upload)
    score_file = awaited(batches.score_file)
    download = awaited(batches.download)
    download_files = awaited(batches.download_files)
    manifest = awaited(batches.manifest)
    results = awaited_each(batches.results)
    errors = awaited_each(batches.errors)
    first_errors = awaited(batches.first_errors)
    retry = awaited(batches.retry)
    score = awaited(tables.score)

    get = awaited(jobs.get_job)
    wait = awaited(jobs.wait)
    follow = awaited_each(jobs.follow)
    list = awaited(jobs.list_jobs)
    cancel = awaited(jobs.cancel)
    delete = awaited(jobs.delete)

    models = awaited(service.models)
    model = awaited(service.model)
    capacity = awaited(service.capacity)


def url_of(given: str | None) -> str:
    return given or os.environ.get("PAYGRADE_URL") or DEFAULT_URL


def key_of(given: str | None) -> str:
    return os.environ.get("PAYGRADE_API_KEY", "") if given is None else given
