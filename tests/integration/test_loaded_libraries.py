"""What the processes of a worker have loaded, as the kernel sees it."""

from collections.abc import Callable
from pathlib import Path

import psutil

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.stack import Stack

Call = Callable[[Stack], Caller]

XGBOOST = {"libxgboost.so", "libxgboost.dylib"}
NOT_FOR_PREDICTIONS = {"pyarrow", "scipy", "pandas"}


def parts_of_libraries(pid: int) -> set[str]:
    """The names of the files that are mapped, and of the folders that they are in."""
    return {part for mapped in psutil.Process(pid).memory_maps() for part in Path(mapped.path).parts}


def test_only_the_children_of_a_worker_load_xgboost_and_none_loads_what_files_need(
    start_stack: StartStack, call: Call
) -> None:
    """XGBoost's threads do not survive a fork, so the parent must never have loaded it."""
    stack = start_stack({"PAYGRADE_QUEUES": "predictions", "PAYGRADE_CHILDREN": "2"})
    stack.start_web()
    worker = stack.ready(stack.start_worker(), children=2)
    caller = call(stack)
    assert caller.ended(caller.accepted({"years": 2.5}))["output"] == {"prediction": 260.00012}
    assert not parts_of_libraries(worker.pid) & XGBOOST
    loaded = [parts_of_libraries(child) for child in worker.children()]
    assert len([parts for parts in loaded if parts & XGBOOST]) == 2
    assert not [parts & NOT_FOR_PREDICTIONS for parts in loaded if parts & NOT_FOR_PREDICTIONS]
