"""The clients against real processes: tables to the last bit, broken connections, a service that sleeps."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import requests
from paygrade import (
    AsyncClient,
    Client,
    Conflict,
    InvalidRequest,
    JobUnfinished,
    NotFound,
    RowsNotScored,
    ServiceBusy,
)

from tests.asynchronous import run
from tests.integration.conftest import StartStack
from tests.integration.faulty_path import FaultyPath
from tests.integration.models import LADDER, publish_ladder, score_in_process
from tests.integration.service import wait_until
from tests.integration.stack import Stack, copy_of_bundles
from tests.pipelines import Saved, calibrated, classification, flats, regression, save

QUEUES = {"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"}
LONG = 60.0
"""Seconds: far more than any of these takes."""


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Saved]]:
    root = copy_of_bundles(tmp_path_factory.mktemp("client") / "bundles")
    publish_ladder(root)
    table = flats(2000)
    saved = {
        "regression": save(regression(table), table, root, "regression"),
        "classes": save(classification(table), table, root, "classes", classes=["low", "middle", "high"]),
        "calibrated": save(calibrated(table), table, root, "calibrated", classes=["low", "high"]),
    }
    return root, saved


@pytest.fixture(scope="module")
def stack(
    bundles: tuple[Path, dict[str, Saved]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), {**QUEUES, "PAYGRADE_BUNDLES": str(bundles[0])}) as stack:
        stack.start_web()
        stack.ready(stack.start_worker(), children=2)
        yield stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.address) as client:
        yield client


def shuffled(rows: int) -> pd.DataFrame:
    """Rows that training has not seen, in an index that is not in order and has the same label twice."""
    table = flats(rows, seed=21)
    index = np.random.default_rng(1).permutation(rows)
    index[0] = index[1]
    return table.set_index(pd.Index(index, name="flat")).assign(note="kept")


@pytest.mark.parametrize("way", ["predict", "score"])
@pytest.mark.parametrize("name", ["regression", "calibrated"])
def test_a_frame_is_scored_as_the_pipeline_scores_it_to_the_last_bit(
    client: Client, bundles: tuple[Path, dict[str, Saved]], way: str, name: str
) -> None:
    pipeline, table = bundles[1][name].pipeline, shuffled(900)
    scored = getattr(client, way)(table, model=name)
    features = table.drop(columns="note")
    if name == "calibrated":
        given, expected = scored.probability.to_numpy(), pipeline.predict_proba(features)[:, 1]
    else:
        given, expected = scored.prediction.to_numpy(), pipeline.predict(features)
    assert given.dtype == expected.dtype
    assert np.array_equal(given, expected)
    assert scored.index.equals(table.index)
    assert scored[table.columns].equals(table)


@pytest.mark.parametrize("way", ["predict", "score"])
def test_a_frame_of_polars_has_the_same_scores_and_classes(
    client: Client, bundles: tuple[Path, dict[str, Saved]], way: str
) -> None:
    table = shuffled(900)
    scored = getattr(client, way)(pl.from_pandas(table.reset_index(drop=True)), model="classes")
    pipeline, features = bundles[1]["classes"].pipeline, table.drop(columns="note")
    assert scored["prediction"].to_list() == pipeline.predict(features).tolist()
    given = scored.select("probability_low", "probability_middle", "probability_high").to_numpy()
    assert np.array_equal(given, pipeline.predict_proba(features))
    assert scored["label"].to_list() == [("low", "middle", "high")[each] for each in scored["prediction"]]


def test_both_ways_give_the_same_columns_also_with_explanations(client: Client) -> None:
    table = shuffled(50)
    scored = client.score(table, model="regression", explain=True)
    pd.testing.assert_frame_equal(client.predict(table, model="regression", explain=True), scored)
    contributions = scored.filter(like="contribution_").sum(axis="columns") + scored.base
    assert np.allclose(contributions, scored.prediction, rtol=1e-5)


def test_a_faulty_row_of_a_frame_fails_alone_and_is_told(client: Client) -> None:
    table = pd.DataFrame({"years": [2.5, "many", np.inf, None, 12.5]}, index=list("vwxyz"))
    with pytest.warns(RowsNotScored, match="3 of 5 rows were not scored"):
        scored = client.score(table)
    assert scored.prediction.isna().tolist() == [False, True, True, True, False]
    assert scored.error.isna().tolist() == [True, False, False, False, True]
    assert scored.prediction["v"] == np.float32(260.00012)


def test_a_long_frame_is_scored_row_by_row_in_its_order(client: Client, stack: Stack) -> None:
    steps = np.random.default_rng(5).integers(0, 1000, 60_000)
    scored = client.score(pd.DataFrame({"step": steps}), model=LADDER)
    expected = score_in_process(
        [{"step": step} for step in range(1000)], Path(stack.settings["PAYGRADE_BUNDLES"]), LADDER
    )
    assert np.array_equal(scored.prediction.to_numpy(), np.array(expected, dtype=np.float32)[steps])


def test_a_file_is_scored_read_row_by_row_corrected_and_scored_again(client: Client, tmp_path: Path) -> None:
    file, scored = tmp_path / "people.ndjson", tmp_path / "scored.ndjson"
    rows = [{"name": "ada", "years": 2.5}, {"name": "bob", "years": "many"}, {"name": "cid", "years": 12.5}]
    file.write_text("\n".join(map(json.dumps, rows)))
    with pytest.warns(RowsNotScored, match="1 of 3 rows were not scored.*row 2: years must be a number"):
        job = client.score_file(file, scored, error_inputs=True)
    assert [json.loads(line) for line in scored.read_text().splitlines()] == list(client.results(job))
    [failed] = client.errors(job)
    assert (failed["row"], failed["input"]) == (1, {"years": "many"})
    retried = client.wait(client.retry(job, [{**failed, "input": {"years": 4.5}}]), LONG)
    assert [row["prediction"] for row in client.results(retried)] == [260.00012, 374.99866, 749.99884]


def test_jobs_are_listed_shown_and_deleted_by_both_clients(stack: Stack) -> None:
    async def story() -> None:
        async with AsyncClient(stack.address) as client:
            outputs = await asyncio.gather(*(client.predict({"years": years}) for years in (2.5, 4.5)))
            assert [output["prediction"] for output in outputs] == [260.00012, 374.99866]
            job = await client.submit({"years": 8}, wait=20)
            assert job["id"] in [each["id"] for each in await client.list(kind="prediction", limit=200)]
            assert (await client.get(job))["status"] == "succeeded"
            with pytest.raises(Conflict):
                await client.cancel(job)
            await client.delete(job)
            with pytest.raises(NotFound):
                await client.get(job)
            scored = await client.score(pl.DataFrame({"years": [2.5]}))
            assert scored["prediction"].to_list() == [float(np.float32(260.00012))]

    run(story())


def test_faults_of_rows_have_their_pointers(client: Client) -> None:
    with pytest.raises(InvalidRequest) as raised:
        client.predict([{"years": 2.5}, {"years": "many"}, {"age": 3}])
    pointers = [fault["pointer"] for fault in raised.value.errors]
    assert pointers == ["/inputs/1/years", "/inputs/2/years", "/inputs/2/age"]


def jobs_of(stack: Stack, kind: str) -> list[str]:
    jobs = requests.get(f"{stack.address}/v1/{kind}?limit=100", timeout=60).json()["data"]
    return [job["id"] for job in jobs]


def test_lost_answers_make_one_job_of_each_post(stack: Stack, tmp_path: Path) -> None:
    before = {kind: len(jobs_of(stack, kind)) for kind in ("predictions", "batches")}
    (tmp_path / "people.csv").write_text("years\n2.5\n")
    with FaultyPath(stack.port, ["lost", "refused", "half"]) as path, Client(path.address) as client:
        assert client.predict({"years": 2.5}) == {"prediction": 260.00012}
        assert path.connections > 3
    with FaultyPath(stack.port, ["lost", "half"]) as path, Client(path.address) as client:
        job = client.score_file(tmp_path / "people.csv", tmp_path / "scored.csv")
        assert job["counts"]["succeeded"] == 1
        assert path.connections > 2
    after = {kind: len(jobs_of(stack, kind)) for kind in ("predictions", "batches")}
    assert {kind: after[kind] - before[kind] for kind in before} == {"predictions": 1, "batches": 1}


def test_lost_answers_do_not_make_a_cancel_or_a_delete_fail(start_stack: StartStack) -> None:
    stack = start_stack()
    stack.start_web()
    with Client(stack.address) as direct:
        job = direct.submit({"years": 1})
    with FaultyPath(stack.port, ["lost"]) as path, Client(path.address) as client:
        assert client.cancel(job)["status"] == "canceled"
    with FaultyPath(stack.port, ["lost"]) as path, Client(path.address) as client:
        client.delete(job)


def test_a_download_that_breaks_off_is_whole_in_the_end(stack: Stack, client: Client, tmp_path: Path) -> None:
    rows = "".join(f"{number},{number % 12 + 1}\n" for number in range(100_000))
    (tmp_path / "many.csv").write_text(f"id,years\n{rows}")
    job = client.score_file(tmp_path / "many.csv", tmp_path / "direct.csv")
    with FaultyPath(stack.port, ["half", "lost", "half"]) as path, Client(path.address) as broken:
        broken.download(job, tmp_path / "broken.csv")
        assert path.connections == 4
    assert (tmp_path / "broken.csv").read_bytes() == (tmp_path / "direct.csv").read_bytes()


def test_a_caller_waits_for_a_service_that_has_no_worker_yet(start_stack: StartStack) -> None:
    stack = start_stack(QUEUES)
    stack.start_web()
    with Client(stack.address) as client:
        with pytest.raises(JobUnfinished) as raised:
            client.predict({"years": 2.5}, wait=0.5)
        starter = threading.Timer(2, lambda: stack.start_worker())
        starter.start()
        assert client.predict({"years": 2.5}, wait=LONG) == {"prediction": 260.00012}
        assert client.wait(raised.value.job, LONG)["status"] == "succeeded"
        starter.join()


def test_a_caller_waits_while_a_full_service_empties(start_stack: StartStack) -> None:
    stack = start_stack({**QUEUES, "PAYGRADE_MAX_WAITING": "1"})
    stack.start_web()
    with Client(stack.address) as client:
        client.submit({"years": 1})
        wait_until("it is full", lambda: not client.capacity()["accepting"])
        with pytest.raises(ServiceBusy) as raised:
            client.submit({"years": 2}, timeout=0.5)
        assert raised.value.status == 503
        assert raised.value.retry_after
        starter = threading.Timer(1, lambda: stack.start_worker())
        starter.start()
        assert client.predict({"years": 2.5}, wait=LONG) == {"prediction": 260.00012}
        starter.join()


def test_a_key_over_its_limit_waits_for_its_turn(start_stack: StartStack) -> None:
    keys = f"ann:{hashlib.sha256(b'of-ann').hexdigest()}"
    stack = start_stack({"PAYGRADE_API_KEYS": keys, "PAYGRADE_ROWS_PER_MINUTE": "600"})
    stack.start_web()
    stack.ready(stack.start_worker())
    with Client(stack.address, "of-ann") as client:
        rows = [{"years": 2.5}] * 600
        client.predict(rows)
        with pytest.raises(ServiceBusy) as raised:
            client.predict(rows[:60], wait=0.5)
        assert raised.value.status == 429
        assert len(client.predict(rows[:60], wait=LONG)) == 60


def test_a_web_that_restarts_is_not_noticed_by_who_waits(start_stack: StartStack) -> None:
    stack = start_stack()
    stack.start_web()
    with Client(stack.address) as client:
        job = client.submit({"years": 2.5})
        ended: list[str] = []
        waiting = threading.Thread(target=lambda: ended.append(client.wait(job, LONG)["status"]))
        waiting.start()
        stack.web.kill_group()
        stack.start_web()
        stack.start_worker()
        waiting.join()
    assert ended == ["succeeded"]
