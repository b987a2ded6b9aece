"""Workers that are lost with what they hold, each in a moment chosen for its malice."""

import signal
from collections.abc import Callable
from pathlib import Path

import requests

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import processes_of, wait_until
from tests.integration.stack import Stack
from tests.integration.test_batches import post, read

Call = Callable[[Stack], Caller]

TROUBLED = ("-m", "tests.integration.troubled_worker")
SOON = {"PAYGRADE_LEASE_SECONDS": "1"}
POISON = 66.5


def test_a_poisoned_row_fails_alone_after_three_attempts(start_stack: StartStack, call: Call) -> None:
    stack = start_stack(SOON)
    stack.start_web()
    caller = call(stack)
    # All are in the line before there is a worker: it claims them together.
    good = [caller.accepted({"years": 2.5}) for _ in range(20)]
    poisoned = caller.accepted({"years": POISON})
    good += [caller.accepted({"years": 4.5}) for _ in range(20)]
    stack.start_worker(*TROUBLED, "poison", str(POISON))
    failed = caller.ended(poisoned)
    assert failed["status"] == "failed"
    assert failed["error"]["type"] == "worker_lost"
    assert stack.record(poisoned).attempt == 3
    outputs = [caller.ended(job_id)["output"]["prediction"] for job_id in good]
    assert outputs == [260.00012] * 20 + [374.99866] * 20


def test_a_poisoned_row_of_a_list_leaves_its_mates_scored(start_stack: StartStack, call: Call) -> None:
    stack = start_stack(SOON)
    stack.start_web()
    stack.start_worker(*TROUBLED, "poison", str(POISON))
    caller = call(stack)
    ended = caller.ended(caller.accepted([{"years": 2.5}, {"years": POISON}, {"years": 4.5}]))
    assert ended["status"] == "partially_succeeded"
    first, second, third = ended["outputs"]
    assert (first, third) == ({"prediction": 260.00012}, {"prediction": 374.99866})
    assert second["error"]["type"] == "worker_lost"


def test_a_poisoned_row_of_a_file_leaves_all_others_scored(start_stack: StartStack) -> None:
    stack = start_stack({**SOON, "PAYGRADE_QUEUES": "batches", "PAYGRADE_BATCH_CHILDREN": "1"})
    stack.start_web()
    stack.start_worker(*TROUBLED, "poison", str(POISON))
    rows = [f"{number % 12}" for number in range(5_000)]
    rows[3_333] = str(POISON)
    batch = post(stack, "years\n" + "\n".join(rows))
    ended = wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)
    assert (ended["status"], ended["counts"]["failed"]) == ("partially_succeeded", 1)
    lines = requests.get(f"{stack.address}{batch['urls']['results']}", timeout=60).text.splitlines()[1:]
    assert lines[3_333] == ",,every worker that tried this row was lost"
    del lines[3_333], rows[3_333]
    assert {*zip(rows, lines, strict=True)} == {*zip(rows[:12], lines[:12], strict=True)}
    assert all(line.endswith(",") for line in lines)


def test_a_child_lost_with_a_shared_lock_in_hand_stops_nobody_else(
    start_stack: StartStack, call: Call, tmp_path: Path
) -> None:
    stack = start_stack(SOON)
    stack.start_web()
    worker = stack.start_worker(*TROUBLED, "lock", str(tmp_path / "died"))
    caller = call(stack)
    jobs = [caller.accepted({"years": 2.5}) for _ in range(3)]
    for job_id in jobs:
        assert caller.ended(job_id, within=30)["status"] == "succeeded"
    worker.send(signal.SIGTERM)
    assert worker.ended(within=15) == 0


def test_a_child_that_wakes_after_its_lease_changes_nothing(
    start_stack: StartStack, call: Call, tmp_path: Path
) -> None:
    stack = start_stack(SOON)
    stack.start_web()
    gate = tmp_path / "gate"
    stack.start_worker(*TROUBLED, "gate", str(gate))
    caller = call(stack)
    job_id = caller.accepted({"years": 2.5})
    wait_until("the job is held", lambda: Path(f"{gate}.waits").exists())
    stack.start_worker()
    done = caller.ended(job_id)
    before = stack.records.hgetall(f"job:{job_id}")
    gate.touch()
    wait_until(
        "the late child has spoken",
        lambda: [said["jobs"] for said in stack.workers[0].events("stale_result")] == [1],
    )
    assert stack.records.hgetall(f"job:{job_id}") == before
    assert done["status"] == "succeeded"


def test_children_that_start_while_their_worker_is_killed_do_not_outlive_it(start_stack: StartStack) -> None:
    stack = start_stack({"PAYGRADE_CHILDREN": "2"})
    worker = stack.start_worker()
    wait_until("its first child is there", worker.children)
    worker.kill()
    wait_until("only the store is left", lambda: len(processes_of(stack.data)) == 1)
