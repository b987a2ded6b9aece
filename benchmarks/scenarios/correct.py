"""Whether the answers are right: without this, no rate means anything."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import numpy as np

from benchmarks.bundle import predict
from benchmarks.client import Answer, Client
from benchmarks.contenders import article, in_process
from benchmarks.load import (
    ARTICLE_ROW,
    IN_PROCESS_ROW,
    LIST_ROWS,
    WAITED_LIST,
    WAITED_ROW,
    Load,
)
from benchmarks.project import Project, project
from benchmarks.session import Session

SCENARIO = "correct"
ROWS = 1_000
FINAL = 200
# Many at once, so that they meet in micro-batches, where an answer could be swapped.
CALLERS = 32


def measure(session: Session) -> None:
    """Compare every contender with XGBoost; look into the record behind a 200."""
    years = [round(float(value), 7) for value in np.linspace(0.25, 14.75, ROWS)]
    with article() as contender:
        answers = _ask_each(contender.port, ARTICLE_ROW, years)
        _compare(session, "(a)", years, [answer["salary"] for answer in answers])
    with in_process() as contender:
        answers = _ask_each(contender.port, IN_PROCESS_ROW, years)
        # FastAPI writes a float64: the same value, in more digits than it needs.
        _compare(session, "(b)", years, [str(np.float32(answer["prediction"])) for answer in answers])
    with project() as ours:
        answers = _ask_each(ours.port, WAITED_ROW, years)
        _compare(session, "one row", years, [answer["output"]["prediction"] for answer in answers])
        with Client(ours.port) as client:
            listed = client.ask(WAITED_LIST, years[:LIST_ROWS])["outputs"]
        _compare(session, "list", years[:LIST_ROWS], [output["prediction"] for output in listed])
        _require_final(session, ours)


def _ask_each(port: int, load: Load, years: list[float]) -> list[Answer]:
    def ask(share: list[float]) -> list[Answer]:
        with Client(port) as client:
            return [client.ask(load, [value]) for value in share]

    shares = [years[first::CALLERS] for first in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(ask, shares))
    return [answers[index % CALLERS][index // CALLERS] for index in range(len(years))]


def _compare(session: Session, name: str, years: list[float], answered: list[str]) -> None:
    """Every score is XGBoost's float32, in the shortest decimal that reads back the same."""
    expected = [str(score) for score in predict(years)]
    wrong = [
        (value, answer, score)
        for value, answer, score in zip(years, answered, expected, strict=True)
        if Decimal(answer) != Decimal(score)
    ]
    session.say(f"{SCENARIO}, {name}: {len(years) - len(wrong)} of {len(years)} scores are XGBoost's")
    session.require(not wrong, f"{SCENARIO}, {name}: {len(wrong)} scores are not XGBoost's: {wrong[:3]}")


def _require_final(session: Session, contender: Project) -> None:
    """A 200 leaves after the final write: the store itself has to know already."""
    early = 0
    with Client(contender.port) as client, contender.redis() as redis:
        for index in range(FINAL):
            job = client.ask(WAITED_ROW, [1 + index / 100])
            early += redis.hget(f"job:{job['id']}", "status") != b"succeeded"
    session.say(f"{SCENARIO}, record: {FINAL - early} of {FINAL} were final when their 200 left")
    session.require(not early, f"{SCENARIO}, record: {early} of {FINAL} were not final when their 200 left")
