"""A pipeline is served with the scores that it has in the notebook: to the last bit, in every format."""

import csv
import json
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import requests

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack, copy_of_bundles
from tests.integration.test_batches import read
from tests.pipelines import Saved, calibrated, crossed, flats, regression, rows_of, save, transformed
from tests.unit.model.conftest import rewrite

MEDIA_TYPES = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
QUEUES = {"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"}
PIPELINES: dict[str, tuple[Callable[[pd.DataFrame], Any], dict[str, Any]]] = {
    "regression": (regression, {}),
    "transformed": (transformed, {}),
    "crossed": (crossed, {}),
    "calibrated": (calibrated, {"classes": ["low", "high"]}),
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Saved]]:
    root = copy_of_bundles(tmp_path_factory.mktemp("pipelines") / "bundles")
    table = flats(3000)
    saved = {name: save(fit(table), table, root, name, **more) for name, (fit, more) in PIPELINES.items()}
    return root, saved


@pytest.fixture(scope="module")
def stack(
    bundles: tuple[Path, dict[str, Saved]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    settings = {**QUEUES, "PAYGRADE_BUNDLES": str(bundles[0])}
    with Stack(tmp_path_factory.mktemp("stack"), settings) as stack:
        stack.start_web()
        stack.ready(stack.start_worker(), children=2)
        yield stack


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Rows that training has not seen; the texts in some of them neither."""
    table = flats(1000, seed=21)
    table.loc[::50, "city"] = "Aachen"
    return table


def scores_of(saved: Saved, table: pd.DataFrame) -> "np.ndarray[Any, np.dtype[Any]]":
    """What the notebook gives."""
    if not hasattr(saved.pipeline, "predict_proba"):
        return np.asarray(saved.pipeline.predict(table))
    return np.asarray(saved.pipeline.predict_proba(table)[:, 1])


def member_of(saved: Saved) -> str:
    return "probability" if hasattr(saved.pipeline, "predict_proba") else "prediction"


def file_of(table: pd.DataFrame, kind: str) -> bytes:
    """What pandas writes."""
    if kind == "csv":
        text: str = table.assign(lift=table.lift.map({True: "true", False: "false"})).to_csv(index=False)
        return text.encode()
    if kind == "ndjson":
        return "\n".join(map(json.dumps, rows_of(table))).encode()
    written = BytesIO()
    table.to_parquet(written)
    return written.getvalue()


def column_of(result: bytes, kind: str, name: str) -> list[float]:
    if kind == "csv":
        return [float(row[name]) for row in csv.DictReader(StringIO(result.decode()))]
    if kind == "ndjson":
        return [json.loads(line)[name] for line in result.splitlines()]
    return pyarrow.parquet.read_table(BytesIO(result)).column(name).to_pylist()  # type: ignore[no-any-return]


def result_of(stack: Stack, table: pd.DataFrame, kind: str, query: str) -> bytes:
    """Posts a file, and returns its results once all rows are scored."""
    headers = {"Content-Type": MEDIA_TYPES[kind]}
    posted = requests.post(
        f"{stack.address}/v1/batches{query}", file_of(table, kind), headers=headers, timeout=60
    )
    assert posted.status_code == 202, posted.text
    batch = posted.json()
    while not batch["finished_at"]:
        batch = read(stack, batch, wait=20)
    assert (batch["status"], batch["counts"]["succeeded"]) == ("succeeded", len(table)), batch
    return requests.get(stack.address + batch["urls"]["results"], timeout=60).content


@pytest.mark.parametrize("name", PIPELINES)
def test_posted_rows_score_as_in_the_notebook(
    stack: Stack, bundles: tuple[Path, dict[str, Saved]], table: pd.DataFrame, name: str
) -> None:
    caller, saved = Caller(stack.address), bundles[1][name]
    answer = caller.post(rows_of(table), wait=20, model=name).json()
    caller.close()
    expected = scores_of(saved, table)
    given = np.array([output[member_of(saved)] for output in answer["outputs"]], dtype=expected.dtype)
    assert len(set(given.tolist())) > 100
    assert np.array_equal(given, expected)


@pytest.mark.parametrize("kind", MEDIA_TYPES)
@pytest.mark.parametrize("name", PIPELINES)
def test_a_file_scores_as_in_the_notebook(
    stack: Stack, bundles: tuple[Path, dict[str, Saved]], table: pd.DataFrame, name: str, kind: str
) -> None:
    saved = bundles[1][name]
    result = result_of(stack, table, kind, f"?model={name}&results={kind}")
    expected = scores_of(saved, table)
    given = np.array(column_of(result, kind, member_of(saved)), dtype=expected.dtype)
    assert np.array_equal(given, expected)


def test_a_score_is_explained_by_the_columns_of_the_notebook(stack: Stack, table: pd.DataFrame) -> None:
    result = result_of(stack, table[:20], "csv", "?model=regression&explain=true").decode()
    for row in csv.DictReader(StringIO(result)):
        contributions = [float(row[f"contribution_{name}"]) for name in table.columns]
        assert sum(contributions) + float(row["base"]) == pytest.approx(float(row["prediction"]), rel=1e-5)


def test_a_pipeline_that_mixes_columns_says_which(stack: Stack, table: pd.DataFrame) -> None:
    caller = Caller(stack.address)
    refused = caller.post(rows_of(table[:1]), model="crossed", explain=True)
    caller.close()
    assert refused.status_code == 422
    [fault] = refused.json()["errors"]
    assert "mixes area and rooms" in fault["detail"]


def test_a_worker_takes_no_work_for_a_bundle_whose_steps_score_otherwise(
    start_stack: StartStack, bundles: tuple[Path, dict[str, Saved]], tmp_path: Path
) -> None:
    root = copy_of_bundles(tmp_path / "bundles")
    copied = root / "flats" / "1"
    copied.mkdir(parents=True)
    for file in bundles[1]["regression"].bundle.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    steps = json.loads((copied / "bundle.json").read_text())["steps"]
    encoder = next(step for step in steps["steps"] if step["kind"] == "one_hot")
    encoder["results"] = encoder["results"][::-1]
    rewrite(copied, name="flats", steps=steps)
    stack = start_stack({"PAYGRADE_BUNDLES": str(root), "PAYGRADE_DEFAULT_MODEL": "flats"})
    stack.start_web()
    worker = stack.start_worker()
    wait_until("it says why", lambda: worker.events("takes_no_work"), within=20)
    assert "golden rows score differently" in worker.events("takes_no_work")[0]["error"]
    assert not worker.events("ready")
