"""Too much waits, or the store is nearly full: the door refuses, and workers can still finish."""

from collections.abc import Callable
from pathlib import Path

from jobs.predictions.status import PredictionStatus
from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.integration.test_lost_workers import TROUBLED

Call = Callable[[Stack], Caller]

THOUSAND = [{"years": 1 / (number + 3)} for number in range(1_000)]


def post_until_refused(caller: Caller, inputs: object, at_most: int) -> list[str]:
    """The jobs that were accepted; the one after them was refused with a true Retry-After."""
    accepted: list[str] = []
    while (answer := caller.post(inputs)).status_code == 202:
        accepted.append(answer.json()["id"])
        assert len(accepted) <= at_most, "nothing was ever refused"
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    return accepted


def assert_scored(stack: Stack, caller: Caller, accepted: list[str]) -> None:
    stack.start_worker()
    for job_id in accepted:
        assert caller.ended(job_id)["status"] == "succeeded"


def assert_open_again(caller: Caller) -> None:
    wait_until("the door is open again", lambda: caller.post({"years": 2.5}).status_code == 202)


def test_too_many_waiting_are_refused_until_a_worker_has_drained_them(
    start_stack: StartStack, call: Call
) -> None:
    stack = start_stack({"PAYGRADE_MAX_WAITING": "5"})
    stack.start_web()
    caller = call(stack)
    accepted = post_until_refused(caller, {"years": 2.5}, at_most=5)
    assert len(accepted) == 5
    assert_scored(stack, caller, accepted)
    assert_open_again(caller)


def test_a_store_that_is_nearly_full_refuses_posts_and_lets_workers_finish(
    start_stack: StartStack, call: Call
) -> None:
    stack = start_stack(maxmemory="64mb")
    stack.start_web()
    caller = call(stack)
    for number in range(40):
        stack.redis.set(f"ballast {number}", "x" * 1_000_000)
    accepted = post_until_refused(caller, THOUSAND, at_most=2_000)
    assert accepted
    assert_scored(stack, caller, accepted)
    stack.redis.delete(*stack.redis.keys("ballast *"))
    assert_open_again(caller)


def test_a_rush_of_posts_leaves_workers_room_to_write(start_stack: StartStack, call: Call) -> None:
    stack = start_stack(maxmemory="16mb")
    stack.start_web()
    caller = call(stack)
    accepted = post_until_refused(caller, THOUSAND, at_most=2_000)
    assert_scored(stack, caller, accepted)


def test_a_score_is_recorded_though_the_store_is_full_by_then(
    start_stack: StartStack, call: Call, tmp_path: Path
) -> None:
    stack = start_stack()
    stack.start_web()
    gate = tmp_path / "gate"
    stack.start_worker(*TROUBLED, "gate", str(gate))
    job_id = call(stack).accepted({"years": 2.5})
    wait_until("the job is held", lambda: Path(f"{gate}.waits").exists())
    stack.redis.config_set("maxmemory", 1)
    gate.touch()
    wait_until("it is recorded", lambda: stack.record(job_id).status is PredictionStatus.SUCCEEDED)
