"""Nothing of what its caller sent is left of a job that has expired."""

from collections.abc import Iterator

import pytest
from celery import Celery
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from tests.unit.conftest import Clock
from tests.unit.web.batch_calls import posted
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site
from worker.sweeper import BatchQueueSweep

WORD, NUMBER = "planted-3e9a", 86754.25
PLANTED = (WORD.encode(), str(NUMBER).encode())
DELIVERY_KEPT_SECONDS = 3 * 86400


@pytest.fixture
def site(clock: Clock, new_site: NewSite) -> Site:
    secrets = f"anonymous:whsec_{'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'}"
    return new_site(webhook_secrets=secrets, webhook_hosts="localhost")


def contents(redis: Redis, key: bytes) -> Iterator[object]:
    yield key
    match redis.type(key):
        case b"string":
            yield redis.get(key)
        case b"hash":
            yield redis.hgetall(key)
        case b"zset":
            yield redis.zrange(key, 0, -1)
        case b"set":
            yield redis.smembers(key)
        case b"list":
            yield redis.lrange(key, 0, -1)
        case b"stream":
            yield redis.xrange(key)


def holders(site: Site) -> list[bytes]:
    """The keys that hold something that was planted, and the files."""
    found = [
        key
        for key in site.redis.scan_iter()
        if any(planted in repr([*contents(site.redis, key)]).encode() for planted in PLANTED)
    ]
    return found + [name.encode() for name in site.files.folders("batches")]


def test_nothing_is_left_of_jobs_that_have_expired(site: Site, clock: Clock) -> None:
    body = {"inputs": {"years": NUMBER}, "metadata": {WORD: WORD}, "webhook": f"http://localhost/{WORD}"}
    assert site.post(body, Idempotency_Key=WORD).status_code == 202
    posted(site, f"{WORD},years\n{WORD},{NUMBER}\n{WORD},{WORD}\n".encode(), Idempotency_Key=WORD)
    assert holders(site)
    site.work()
    site.score_batches()
    site.send_webhooks()
    assert holders(site)
    clock.forward(site.settings.retention_seconds + 1)
    BatchQueueSweep(BatchConsumer(site.redis, site.settings), Celery(set_as_current=False), 0, site.files)()
    assert all(key.startswith(b"delivery:") for key in holders(site))
    clock.forward(DELIVERY_KEPT_SECONDS)
    assert holders(site) == []
