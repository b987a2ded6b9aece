"""The memory that the simulation uses does what the scripts do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.keeper.state import KeeperState
from jobs.keeper.store import KeeperMemory, KeeperRound, KeeperStore, Sleep
from tests.keeper.memory import PlainMemory
from tests.unit.conftest import make_redis

moments = st.integers(0, 80).map(lambda quarters: quarters / 4)
sleeps = st.builds(Sleep, st.booleans(), st.none() | st.just(1_795_300_000.5), st.sampled_from([40.0, 33.5]))
steps = st.one_of(
    st.tuples(st.just("wait"), moments),
    st.tuples(st.just("begin"), st.none()),
    st.tuples(st.just("finish"), sleeps),
    st.tuples(st.just("finish an old one"), sleeps),
    st.tuples(st.just("wake"), st.none()),
    st.tuples(st.just("read"), st.none()),
)


class Driver:
    """Does the steps with one memory, and notes what it says."""

    def __init__(self, memory: KeeperMemory) -> None:
        self.memory = memory
        self.said: list[object] = []
        self._rounds: list[KeeperRound] = []

    def do(self, step: str, value: Sleep | None) -> None:
        match step:
            case "begin":
                round_ = self.memory.begin()
                self._rounds += [round_] if round_ else []
                self.said.append(round_)
            case "finish" | "finish an old one" if self._rounds and value:
                round_ = self._rounds[-1 if step == "finish" else 0]
                self.said.append(self.memory.finish(round_, value, KeeperState(most=len(self.said))))
            case "wake":
                self.said.append(self.memory.wake())
            case "read":
                self.said.append(self.memory.read())


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=25))
def test_both_memories_say_the_same(chosen: list[tuple[str, object]]) -> None:
    now = 1_795_300_818.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: now)
        real, plain = Driver(KeeperStore(make_redis())), Driver(PlainMemory(lambda: now))
        for step, value in chosen:
            if isinstance(value, float):
                now += value
            for driver in (real, plain):
                driver.do(step, value if isinstance(value, Sleep) else None)
            assert real.said == plain.said
