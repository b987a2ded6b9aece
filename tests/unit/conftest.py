"""A Redis and an S3 in memory, a clock that tests set, and helpers that make jobs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis
from redis.client import PubSub

from jobs import RELEASE, ids
from jobs.errors import JobsError
from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord, Row
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity, Monitor
from jobs.queues.processes import Process
from jobs.queues.script_calls import create_groups
from jobs.settings import Settings
from tests.unit.in_memory import MemoryRedis

SHA = "5a" * 32
MANY = 10_000
"""More rows than any test adds: a claim of so many takes all that wait."""
TICK = 0.000_5
"""Seconds; enough that ids which are made in turn have different times."""

Read = Callable[[str], PredictionRecord]

# A busy machine is slow, and no example may fail because of that.
hypothesis_settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("unit")


class Clock:
    """Replaces time.time for Redis and for us, so that no test depends on how fast it runs.

    It starts 18 s into a minute, moves by TICK whenever it is read, and can be moved forward.
    """

    def __init__(self) -> None:
        self._now = 1_795_300_818.0

    def __call__(self) -> float:
        self._now += TICK
        return self._now

    def forward(self, seconds: float) -> None:
        self._now += seconds


def job(
    *rows: Row,
    owner: str = "ada",
    model: str = "salary@1",
    sha256: str = SHA,
    watcher: str = "",
    start_within: int | None = None,
) -> NewPrediction:
    """A job of one row or of a list of several; of the row [2.5] if none is given."""
    single = len(rows) < 2
    inputs = (rows[0] if rows else [2.5]) if single else list(rows)
    job_id = ids.new_id(ids.PREDICTION)
    within_ms = None if start_within is None else start_within * 1000
    count = max(1, len(rows))
    return NewPrediction(job_id, model, sha256, owner, orjson.dumps(inputs), count, b"", watcher, within_ms)


def jobs_of(*years: float) -> list[NewPrediction]:
    """A job of one row for each number of years."""
    return [job([value]) for value in years]


def refusals(store: PredictionStore, jobs: Sequence[NewPrediction]) -> list[JobsError | None]:
    """Adds the jobs; for each None, or why it was refused."""
    verdicts, _ = store.add(jobs)
    return [None if isinstance(verdict, Accepted) else verdict for verdict in verdicts]


def living(name: str, pace: int = 0) -> Process:
    """What a consumer that is alive reports of itself."""
    return Process(name, RELEASE, pace)


def scored(claim: Claim) -> Outcome:
    """The outcome of a claim; its outputs name the inputs."""
    return Outcome(claim, PredictionStatus.SUCCEEDED, outputs=outputs_for(claim.rows))


def outputs_for(rows: list[Row]) -> bytes:
    return f"scores of {rows}".encode()


def make_redis() -> Redis:
    """Has the consumer groups already: the fake reports a missing one in other words than Redis does."""
    redis: Redis = MemoryRedis(protocol=2)
    create_groups(redis)
    return redis


def listen(redis: Redis, *channels: str) -> PubSub:
    """A subscription that has received nothing yet."""
    subscription: PubSub = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    subscription.subscribe(*channels)
    for _ in channels:
        assert subscription.get_message() is None
    return subscription


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    settable = Clock()
    monkeypatch.setattr("time.time", settable)
    return settable


@pytest.fixture
def redis(clock: Clock) -> Redis:
    return make_redis()


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def store(redis: Redis, settings: Settings) -> PredictionStore:
    return PredictionStore(redis, settings)


@pytest.fixture
def consumer(redis: Redis, settings: Settings) -> PredictionConsumer:
    return PredictionConsumer(redis, settings)


@pytest.fixture
def capacity(redis: Redis, settings: Settings) -> Callable[[], Capacity]:
    """The state of the service."""
    return Monitor(redis, settings).capacity


@pytest.fixture
def read(store: PredictionStore) -> Read:
    """Reads the record of a job that exists."""

    def read_one(job_id: str) -> PredictionRecord:
        [record] = store.read([job_id])
        assert isinstance(record, PredictionRecord)
        return record

    return read_one


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a simulated S3 with one bucket: salaries."""
    import boto3  # with moto a second of time, which few tests need
    from moto import mock_aws

    from jobs.files import s3_client, s3_direct

    def forget() -> None:
        for made in (s3_client.client, s3_direct.session, s3_direct.signer):
            made.cache_clear()

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        forget()
        client = boto3.client("s3")
        client.create_bucket(Bucket="salaries")
        yield client
    forget()
