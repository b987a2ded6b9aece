"""Faults of every kind under load break no promise, and a broken promise would be seen."""

from collections import Counter
from pathlib import Path

import pytest

from jobs.ids import PREDICTION, new_id
from tests.chaos.callers import ChaosCaller
from tests.chaos.ledger import ChaosLedger, Posted
from tests.chaos.run import run
from tests.chaos.schedule import SHAPES, Schedule
from tests.chaos.town import Town
from tests.chaos.verdict import Judge
from tests.integration.service import wait_until

pytestmark = pytest.mark.process


def assert_all_kept(seed: int, seconds: float, folder: Path) -> None:
    report = run(Schedule.of(seed, seconds), folder)
    assert report.broken == []
    assert report.accepted > seconds


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("seed", "seconds"), [(0, 45), (2, 20)])
def test_no_promise_is_broken(seed: int, seconds: float, tmp_path: Path) -> None:
    assert_all_kept(seed, seconds, tmp_path / "town")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", range(100, 120))
def test_nor_by_twenty_other_seeds(seed: int, tmp_path: Path) -> None:
    assert_all_kept(seed, 60, tmp_path / "town")


def test_a_seed_is_one_schedule_with_every_kind_of_fault() -> None:
    for seed in range(len(SHAPES)):
        schedule = Schedule.of(seed, 120)
        assert schedule == Schedule.of(seed, 120)
        assert schedule != Schedule.of(seed + len(SHAPES), 120)
        assert len({fault.kind for fault in schedule.faults}) >= 20


def test_a_broken_promise_is_seen(tmp_path: Path) -> None:
    ledger = ChaosLedger()
    with Town(Schedule.of(0, 0), tmp_path / "town") as town:
        caller = ChaosCaller(town.address, ledger, "caller", 0)
        wrong, lost, doubled, stuck, kept = [_accepted(caller, tag) for tag in ("a", "b", "c", "d", "e")]
        assert list(Judge(town, ledger, harms=0).broken()) == []
        town.redis.hset(f"job:{wrong}", "outputs", '{"prediction":1.5}')
        town.redis.delete(f"job:{lost}")
        town.redis.copy(f"job:{doubled}", f"job:{new_id(PREDICTION)}")
        town.redis.hset(f"job:{stuck}", "status", "queued")
        broken = list(Judge(town, ledger, harms=0).broken())
    # Whoever was told of a score, or of an end, has seen it change.
    assert Counter(promise for promise, _ in broken) == Counter(
        lost=1, wrong=1, doubled=1, stuck=1, changed=2
    )
    assert kept not in str(broken)


def _accepted(caller: ChaosCaller, tag: str) -> str:
    posted = caller.ledger.wants(Posted(tag, "/v1/predictions", 5, 1, key=tag))
    body = {"inputs": {"step": 5}, "metadata": {"tag": tag}}
    wait_until("it is accepted", lambda: caller.post(posted, {"Prefer": "wait=5"}, json=body))
    while not posted.told:
        caller.tell(posted, caller.request("GET", f"/v1/predictions/{next(iter(posted.ids))}?wait=5"))
    return next(iter(posted.ids))
