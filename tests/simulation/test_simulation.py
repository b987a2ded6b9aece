"""Hundreds of seeds, and proof that the simulation would notice."""

import os
import subprocess
import sys
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from jobs.queues.scripts import Source, load
from tests.simulation.network import Fault
from tests.simulation.simulation import Plan, run

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]


def _run_seeds(first: int, seeds: int) -> str:
    """In a Python of its own, in which sets have the order in which they can be replayed."""
    command = [sys.executable, "-m", "tests.simulation", "--first", str(first), "--seeds", str(seeds)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.timeout(1_200)
def test_every_promise_holds_for_300_seeds() -> None:
    assert " 0 seeds broken" in (shown := _run_seeds(0, 300)), shown


@pytest.mark.slow
@pytest.mark.timeout(10_000)
def test_every_promise_holds_for_10_000_seeds() -> None:
    assert " 0 seeds broken" in (shown := _run_seeds(300, 10_000)), shown


@pytest.mark.parametrize("seed", [3, 21, 305])  # 305 joins a file in many steps
def test_a_seed_is_replayed_call_by_call(seed: int) -> None:
    first, second = run(Plan.of(seed)), run(Plan.of(seed))
    assert first.trace == second.trace
    assert first.calls > 100


def sabotaged(script: str, promised: str, broken: str, name: str, kind: Any = None) -> Source:
    source = load(name, kind)
    if name != script:
        return source
    assert promised in source.text
    return source._replace(text=source.text.replace(promised, broken))


def harsh(seed: int) -> Plan:
    """Many lost calls and kills, so that a few seeds are enough."""
    kinds = ("lose_answer", "kill_after", "lose_request")
    faults = tuple(Fault(at, kinds[at % 3], 0.0) for at in range(35 + seed, 400, 8))
    return Plan(seed, faults, callers=3, jobs=3, batches=0, loss=0)


def lost_answers(script: str, seed: int) -> Plan:
    """Whoever calls this script does not learn that it was done."""
    faults = tuple(Fault(at, "lose_answer", 0.0, script) for at in range(1, 40, 2))
    return Plan(seed, faults, callers=3, jobs=3, batches=0, loss=0)


@pytest.mark.parametrize(
    ("script", "promised", "broken"),
    [
        ("predictions/record", "local current = job.status == 'running' and", "local current = true or"),
        ("predictions/cancel", "if job.status ~= 'queued' then", "if false then"),
    ],
)
def test_a_script_that_may_be_done_only_once_is_found_out(script: str, promised: str, broken: str) -> None:
    assert not any(run(lost_answers(script, seed)).broken for seed in range(3))
    with patch("jobs.queues.script_calls.load", partial(sabotaged, script, promised, broken)):
        assert any(run(lost_answers(script, seed)).broken for seed in range(20))


def reset_answers(script: str, seed: int) -> Plan:
    """The connection of whoever calls this script is closed as soon as a worker may have acted on it."""
    faults = tuple(Fault(at, "reset_answer", 0.35, script) for at in range(1, 100, 2))
    return Plan(seed, faults, callers=6, jobs=6, batches=0, loss=0)


def test_a_prediction_that_is_added_again_when_its_call_is_repeated_is_found_out() -> None:
    script, promised = "predictions/add", "redis.call('EXISTS', job_key(job.id)) == 1"
    assert not any(run(reset_answers(script, seed)).broken for seed in range(3))
    with patch("jobs.queues.script_calls.load", partial(sabotaged, script, promised, "false")):
        assert any(run(reset_answers(script, seed)).broken for seed in range(20))


@pytest.mark.parametrize(
    ("script", "promised", "broken"),
    [
        ("predictions/sweep", "if not may_sweep(queue)", "if true"),
        ("predictions/add", "if known then return", "if false then return"),
    ],
)
def test_a_script_that_breaks_a_promise_is_found_out(script: str, promised: str, broken: str) -> None:
    assert not any(run(harsh(seed)).broken for seed in range(3))
    with patch("jobs.queues.script_calls.load", partial(sabotaged, script, promised, broken)):
        assert any(run(harsh(seed)).broken for seed in range(20))
