"""One salary, then many, through real processes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.integration.callers import Caller
from tests.integration.models import score_in_process
from tests.integration.stack import Stack

Call = Callable[[Stack], Caller]


def test_a_salary_posted_to_recms_comes_back(shared: Stack, call: Call) -> None:
    answer = call(shared).recms({"years": "2.5"})
    assert answer.status_code == 200
    assert answer.json() == {"salary": "260.00012"}


def test_a_prediction_is_accepted_then_found_done_by_polling(shared: Stack, call: Call) -> None:
    caller = call(shared)
    answer = caller.post({"years": 4.5}, metadata={"who": "ann"})
    assert answer.status_code == 202
    posted = answer.json()
    assert posted["status"] == "queued"
    assert answer.headers["Location"] == posted["urls"]["self"]
    done = caller.ended(posted["id"])
    assert done["status"] == "succeeded"
    assert done["output"] == {"prediction": 374.99866}
    assert done["metadata"] == {"who": "ann"}
    assert done["created_at"] <= done["started_at"] <= done["finished_at"] < done["expires_at"]


def test_a_caller_who_waits_gets_the_finished_prediction(shared: Stack, call: Call) -> None:
    answer = call(shared).post({"years": 12.5}, wait=20)
    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "wait=20"
    # Training saw no more than 12 years: that is said, and refuses nothing.
    assert answer.json()["output"]["prediction"] == 749.99884
    assert len(answer.json()["output"]["warnings"]) == 1


def test_a_list_comes_back_in_order(shared: Stack, call: Call) -> None:
    answer = call(shared).post([{"years": 12}, {"years": 2.5}, {"years": "4.5"}], wait=20)
    outputs = [output["prediction"] for output in answer.json()["outputs"]]
    assert outputs == [749.99884, 260.00012, 374.99866]


def test_a_list_of_a_thousand_rows_equals_xgboost(shared: Stack, call: Call) -> None:
    rows = [{"years": number * 0.0137} for number in range(1_000)]
    answer = call(shared).post(rows, wait=20)
    outputs = [output["prediction"] for output in answer.json()["outputs"]]
    assert outputs == score_in_process(rows)


def test_a_thousand_callers_rows_equal_xgboost(shared: Stack) -> None:
    rows = [{"years": 13.7 - number * 0.0137} for number in range(1_000)]

    def score(row: dict[str, float]) -> float:
        answer = session.post(
            f"{shared.address}/v1/predictions",
            json={"inputs": row},
            headers={"Prefer": "wait=20"},
            timeout=60,
        )
        prediction: float = answer.json()["output"]["prediction"]
        return prediction

    with requests.Session() as session, ThreadPoolExecutor(8) as callers:
        assert list(callers.map(score, rows)) == score_in_process(rows)


def test_the_heartbeat_file_is_there_once_work_is_taken(shared: Stack) -> None:
    assert (shared.data / "worker.heartbeat").exists()
