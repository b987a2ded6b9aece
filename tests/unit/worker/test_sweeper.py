"""The sweeper removes files that no batch needs any more, and no others."""

from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import folder_of
from jobs.batches.store import BatchStore
from jobs.errors import FilesForbidden
from jobs.files.location import files_at
from jobs.files.store import FileStore
from jobs.queues.names import BATCH
from jobs.settings import Settings
from tests.unit.conftest import Clock
from tests.unit.in_memory import MemoryRedis
from tests.unit.jobs.batches.conftest import add
from worker.sweeper import REWRITE_EVERY_SECONDS, BatchQueueSweep, StoreRewrite

DAY = 24 * 3600


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return files_at(str(tmp_path / "files"))


@pytest.fixture
def store(redis: Redis, settings: Settings) -> BatchStore:
    return BatchStore(redis, settings)


@pytest.fixture
def sweep(redis: Redis, settings: Settings, files: FileStore) -> BatchQueueSweep:
    return BatchQueueSweep(BatchConsumer(redis, settings), Celery(set_as_current=False), 0, files)


def write(files: FileStore, job_id: str) -> None:
    with files.create(f"{folder_of(job_id)}/input") as file:
        file.write(b"years\n1\n")


def folders(files: FileStore) -> set[str]:
    return set(files.folders("batches"))


def test_files_without_a_record_are_removed_when_they_are_old(
    files: FileStore, store: BatchStore, sweep: BatchQueueSweep, clock: Clock
) -> None:
    accepted, lost = add(store), ids.new_id(ids.BATCH)
    for job_id in (accepted, lost):
        write(files, job_id)
    for _ in range(3):
        sweep.remove_leftovers()
    assert folders(files) == {accepted, lost}
    clock.forward(DAY + 1)
    sweep.remove_leftovers()
    sweep.remove_leftovers()
    assert folders(files) == {accepted}


def test_files_that_only_look_old_since_a_clock_jumped_are_kept(
    files: FileStore, store: BatchStore, sweep: BatchQueueSweep, clock: Clock, redis: Redis
) -> None:
    arriving = ids.new_id(ids.BATCH)
    write(files, arriving)
    clock.forward(DAY + 1)
    sweep.remove_leftovers()
    redis.hset(f"job:{arriving}", "status", "validating")  # it is accepted meanwhile
    sweep.remove_leftovers()
    assert folders(files) == {arriving}


def test_the_sweeper_prunes_the_lists_of_owners(
    files: FileStore, store: BatchStore, sweep: BatchQueueSweep, clock: Clock, redis: Redis
) -> None:
    for _ in range(3):
        store.cancel(add(store))
    clock.forward(store.retention_ms / 1000 + 1)
    sweep()
    assert redis.exists(BATCH.list_of("ada")) == 0


@pytest.mark.parametrize("name", ["../../victim ada", "../../victim", "/etc ada", "batch_1 ada", " "])
def test_a_forged_name_removes_nothing_and_is_dropped(
    files: FileStore, sweep: BatchQueueSweep, redis: Redis, tmp_path: Path, name: str
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    expired = ids.new_id(ids.BATCH)
    write(files, expired)
    redis.zadd("batches:files", {name: 0, f"{expired} ada": 1})
    sweep()
    assert victim.exists()
    assert folders(files) == set()
    assert redis.zcard("batches:files") == 0


@pytest.mark.parametrize("name", ["../victim", "/victim", "batches/../../victim", "batches/.."])
def test_a_directory_refuses_each_name_that_leaves_its_root(files: FileStore, name: str) -> None:
    calls: list[Any] = [files.remove, files.remove_file, files.size, files.read, files.open]
    calls += [lambda name: list(files.folders(name)), lambda name: files.create(name).__enter__()]
    for call in calls:
        with pytest.raises(FilesForbidden):
            call(name)


def test_a_folder_that_cannot_be_removed_does_not_keep_the_next(
    files: FileStore, sweep: BatchQueueSweep, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ids.new_id(ids.BATCH), ids.new_id(ids.BATCH)
    write(files, second)
    redis.zadd("batches:files", {f"{first} ada": 0, f"{second} ada": 1})
    remove = files.remove

    def refuse_the_first(folder: str) -> None:
        if first in folder:
            raise FilesForbidden
        remove(folder)

    monkeypatch.setattr(files, "remove", refuse_the_first)
    sweep()
    assert folders(files) == set()


class RewritingRedis(MemoryRedis):
    """Counts how often it is to rewrite its append-only file, which it may be without."""

    has_file = 1
    rewritten = 0

    def info(self, section: str | None = None, *args: Any, **options: Any) -> Any:
        assert section == "persistence"
        return {"aof_enabled": self.has_file}

    def bgrewriteaof(self, **options: Any) -> Any:
        self.rewritten += 1


def test_the_append_only_file_is_rewritten_by_one_worker_twice_a_day(clock: Clock) -> None:
    redis = RewritingRedis()
    workers = [StoreRewrite(redis), StoreRewrite(redis)]
    for _ in range(4):
        for rewrite in workers:
            rewrite()
        clock.forward(REWRITE_EVERY_SECONDS + 1)
    assert redis.rewritten == 4
    assert 2 * REWRITE_EVERY_SECONDS <= DAY


def test_a_redis_without_such_a_file_is_not_told_to_rewrite_it(clock: Clock) -> None:
    redis = RewritingRedis()
    redis.has_file = 0
    StoreRewrite(redis)()
    assert redis.rewritten == 0
