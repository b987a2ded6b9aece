"""python -m ops dead: what was given up, as it is typed."""

import json

import orjson
import pytest
from redis import Redis

import ops.dead_commands
from jobs.predictions.consumer import Outcome, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from tests.unit.conftest import MANY, Read, job
from tests.unit.ops.conftest import Ops

ERROR = orjson.dumps({"type": "worker_lost", "detail": "every worker that claimed this job was lost"})


@pytest.fixture(autouse=True)
def _connected(connected: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops.dead_commands, "connect", lambda _: connected)
    monkeypatch.setattr(ops.dead_commands, "send_wake_up", lambda *_: None)


@pytest.fixture
def given_up(store: PredictionStore, consumer: PredictionConsumer) -> str:
    store.add([lost := job([4.5], owner="bob")])
    [claim] = consumer.claim("child", "wake_up", MANY)
    consumer.record([Outcome(claim, PredictionStatus.FAILED, error=ERROR)])
    return lost.id


def test_letters_are_listed_for_people_and_for_programs(operate: Ops, given_up: str) -> None:
    status, printed, _ = operate("dead", "list")
    assert (status, "worker_lost" in printed, given_up in printed) == (0, True, True)
    _, printed, _ = operate("dead", "list", "--json", "--owner", "bob", "--reason", "worker_lost")
    assert json.loads(printed)["id"] == given_up
    assert operate("dead", "list", "--json", "--owner", "ada") == (0, "", "")


def test_a_letter_is_shown_with_its_job(operate: Ops, given_up: str) -> None:
    _, printed, _ = operate("dead", "show", given_up, "--json")
    assert json.loads(printed)["resource"]["status"] == "failed"


def test_letters_are_replayed_and_what_is_none_is_named(operate: Ops, given_up: str, read: Read) -> None:
    status, printed, complaint = operate("dead", "replay", given_up, "pred_none", "--json")
    assert (status, "pred_none is not a dead letter" in complaint) == (1, True)
    assert read(json.loads(printed)["replayed_as"]).retry_of == given_up
    assert operate("dead", "list", "--json") == (0, "", "")


def test_letters_are_dropped(operate: Ops, given_up: str, read: Read) -> None:
    assert operate("dead", "drop", given_up) == (0, f"{given_up} dropped\n", "")
    assert operate("dead", "drop", given_up)[0] == 1
    assert read(given_up).status is PredictionStatus.FAILED
