"""Calls during a round trip share the next one."""

from collections.abc import Sequence

import gevent
import pytest
from gevent.event import Event

from web.submission import LARGEST_GROUP, GroupCommit


class Echo:
    """Returns ten times each number after a while, and records the groups."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.failure: Exception | None = None

    def __call__(self, questions: Sequence[int]) -> list[int]:
        self.groups.append(list(questions))
        gevent.sleep(0.001)
        if self.failure:
            raise self.failure
        return [question * 10 for question in questions]


def asked(gatherer: GroupCommit[int, int], questions: Sequence[int]) -> list[gevent.Greenlet]:
    return [gevent.spawn(gatherer, question) for question in questions]


def test_a_single_call_goes_out_at_once() -> None:
    echo = Echo()
    gatherer = GroupCommit(echo)
    assert [gatherer(1), gatherer(2)] == [10, 20]
    assert echo.groups == [[1], [2]]


def test_after_a_call_alone_the_next_waits_for_nobody_and_later_ones_share_a_round_trip() -> None:
    echo = Echo()
    gatherer = GroupCommit(echo)
    assert gatherer(0) == 0
    taken: list[int | Exception] = []
    alone = gevent.spawn(gatherer.send, 1, taken.append)
    gevent.sleep(0)
    assert echo.groups == [[0], [1]]
    late = asked(gatherer, [2, 3])
    assert [greenlet.get() for greenlet in late] == [20, 30]
    assert alone.ready()
    assert (taken, echo.groups) == ([10], [[0], [1], [2, 3]])


def test_calls_during_a_round_trip_share_the_next_in_order() -> None:
    echo = Echo()
    gatherer = GroupCommit(echo)
    early = asked(gatherer, [1])
    while not echo.groups:
        gevent.sleep(0)
    late = asked(gatherer, [4, 2, 3])
    assert [greenlet.get() for greenlet in early + late] == [10, 40, 20, 30]
    assert echo.groups == [[1], [4, 2, 3]]


def test_the_size_of_a_group_is_limited() -> None:
    echo = Echo()
    questions = list(range(2 * LARGEST_GROUP + 5))
    answers = [greenlet.get() for greenlet in asked(GroupCommit(echo), questions)]
    assert answers == [question * 10 for question in questions]
    assert [question for group in echo.groups for question in group] == questions
    assert max(map(len, echo.groups)) == LARGEST_GROUP


def test_an_error_reaches_every_call_of_the_group_and_no_later_one() -> None:
    echo = Echo()
    echo.failure = ValueError("away")
    gatherer = GroupCommit(echo)
    for greenlet in asked(gatherer, [1, 2, 3]):
        with pytest.raises(ValueError, match="away"):
            greenlet.get()
    echo.failure = None
    assert gatherer(4) == 40


def test_a_lone_caller_that_is_ended_meanwhile_holds_up_nobody() -> None:
    answered = Event()

    def call(arguments: Sequence[int]) -> list[int]:
        answered.wait()
        return list(arguments)

    commit: GroupCommit[int, int] = GroupCommit(call)
    answered.set()
    assert commit(1) == 1
    answered.clear()
    ended = gevent.spawn(commit, 2)
    gevent.sleep(0)
    ended.kill()
    answered.set()
    with gevent.Timeout(60):
        assert commit(3) == 3
