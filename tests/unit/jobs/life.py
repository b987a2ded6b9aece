"""The lives of jobs in a Redis in memory, whatever is done to them in whatever order."""

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from tests.unit.conftest import Clock, make_redis


class JobLife(RuleBasedStateMachine):
    """The Redis holds every change of a status to the table; see tests/unit/in_memory.py.

    At last all consumers are alive, and every job must end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.clock = Clock()
        self.patch.setattr("time.time", self.clock)
        self.redis = make_redis()

    def teardown(self) -> None:
        try:
            self.everything_ends_when_all_consumers_are_alive()
        finally:
            self.patch.undo()

    def everything_ends_when_all_consumers_are_alive(self) -> None:
        raise NotImplementedError
