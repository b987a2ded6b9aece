"""Group commit: calls that arrive together share one round trip."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import gevent
from gevent.event import AsyncResult

from jobs.errors import StoreUnavailable

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST = 128
LONGEST_GATHERING_SECONDS = 0.01


class GroupCommit(Generic[Question, Answer]):
    """While one round trip is under way, those who ask gather for the next."""

    def __init__(self, ask_all: Callable[[Sequence[Question]], Sequence[Answer | Exception]]) -> None:
        self._ask_all = ask_all
        self._gathered: list[tuple[Question, AsyncResult]] = []
        self._under_way = False

    def ask(self, question: Question) -> Answer:
        """Raises what the shared call raised, or what it gave as the answer to this question."""
        result = AsyncResult()
        self._gathered.append((question, result))
        if not self._under_way:
            self._under_way = True
            gevent.spawn(self._run)
        answer: Answer = result.get()
        return answer

    def _run(self) -> None:
        while self._gathered:
            gevent.sleep(0)
            if len(self._gathered) > 1:  # it is busy: first read all that has arrived
                with gevent.Timeout(LONGEST_GATHERING_SECONDS, False):
                    gevent.idle()
            group, self._gathered = self._gathered[:MOST], self._gathered[MOST:]
            try:
                answers = self._ask_all([question for question, _ in group])
                for (_, result), answer in zip(group, answers, strict=True):
                    if isinstance(answer, Exception):
                        result.set_exception(answer)
                    else:
                        result.set(answer)
            except Exception as error:
                if isinstance(error, StoreUnavailable):  # for those who have gathered meanwhile as well
                    group, self._gathered = group + self._gathered, []
                for _, result in group:
                    result.set_exception(error)
        self._under_way = False
