"""Explained rows take long; a batch of them is canceled, stopped and killed like any other, and is right."""

import csv
import signal
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from model.bundle import Bundle
from model.description.catalog import Catalog
from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.models import FOREST, publish_forest
from tests.integration.service import Service, kill, wait_until
from tests.integration.stack import BUNDLES, Stack, copy_of_bundles
from tests.integration.test_batches import BATCHES, post, read

Call = Callable[[Stack], Caller]

PADDING = "0" * 60


@pytest.fixture
def stack(start_stack: StartStack, tmp_path: Path) -> Stack:
    """With the model of whose rows few are explained in a second."""
    bundles = copy_of_bundles(tmp_path / "bundles")
    publish_forest(bundles)
    stack = start_stack({**BATCHES, "PAYGRADE_BUNDLES": str(bundles)})
    stack.start_web()
    stack.ready(stack.start_worker())
    return stack


def forest_row(number: int) -> tuple[float, float]:
    return number % 997 / 10, number % 991 / 10


def explained(stack: Stack, rows: int) -> Any:
    """A batch of many chunks, once the first of them is done."""
    lines = (f"{width}{PADDING},{height}" for width, height in map(forest_row, range(rows)))
    batch = post(stack, "width,height\n" + "\n".join(lines), f"?explain=true&model={FOREST}")
    wait_until("some of it is explained", lambda: read(stack, batch)["counts"]["succeeded"])
    return batch


def ended(stack: Stack, batch: Any) -> Any:
    return wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)


def results(stack: Stack, batch: Any) -> list[dict[str, str]]:
    text = requests.get(stack.address + batch["urls"]["results"], timeout=60).text
    return list(csv.DictReader(StringIO(text)))


def kill_child(worker: Service) -> None:
    assert [child for child in worker.children() if kill(child)]


def kill_worker(worker: Service) -> None:
    worker.kill_group()


def stop_worker(worker: Service) -> None:
    worker.send(signal.SIGTERM)
    worker.ended()


@pytest.mark.parametrize("end", [kill_child, kill_worker, stop_worker])
def test_every_row_is_explained_once_whatever_befalls_the_worker(
    stack: Stack, end: Callable[[Service], None]
) -> None:
    rows = 6_000
    batch = explained(stack, rows)
    end(stack.workers[0])
    stack.start_worker()
    assert (done := ended(stack, batch))["status"] == "succeeded"
    assert done["counts"]["succeeded"] == rows
    bundle = Bundle.load(Catalog(stack.data.parent / "bundles", "salary").find(FOREST))
    matrix = np.array([forest_row(number) for number in range(rows)], np.float32)
    why = bundle.explain(matrix)
    expected = np.column_stack([bundle.score(matrix), why.contributions])
    names = ("prediction", "contribution_width", "contribution_height")
    given = np.array([[line[name] for name in names] for line in results(stack, batch)]).astype(np.float32)
    assert np.array_equal(given, expected)


def test_a_cancel_takes_hold_between_two_calls_of_the_model(stack: Stack) -> None:
    batch = explained(stack, 300_000)
    answer = requests.post(stack.address + batch["urls"]["cancel"], timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (202, "canceling")
    done = ended(stack, batch)
    assert done["status"] == "canceled"
    assert len(results(stack, batch)) == done["counts"]["succeeded"] < 100_000


@pytest.mark.parametrize("model", ["wages", "salary"])
def test_a_line_says_what_the_prediction_of_its_row_says(shared: Stack, call: Call, model: str) -> None:
    examples = Catalog(BUNDLES, "salary").find(model).examples
    rows = [{name: as_text(value) for name, value in row.items()} for row in examples]
    first = next(iter(rows[0]))
    rows += [{**row, first: "21"} for row in rows[:3]]  # beyond what training saw
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    batch = post(shared, text.getvalue(), f"?explain=true&model={model}")
    asked = [{name: value or None for name, value in row.items()} for row in rows]
    job = call(shared).post(asked, wait=20, model=model, explain=True).json()
    assert ended(shared, batch)["status"] == job["status"] == "succeeded"
    lines = results(shared, batch)
    assert [flat(output) for output in job["outputs"]] == list(map(read_back, lines))
    assert [bool(line["warnings"]) for line in lines[-3:]] == [True] * 3


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_back(line: dict[str, str]) -> dict[str, float | str]:
    return {name: text if name in ("warnings", "error") else float(text) for name, text in line.items()}


def flat(output: dict[str, Any]) -> dict[str, float | str]:
    """An output of a prediction as a line of a table."""
    columns = {"prediction": output["prediction"]}
    if "interval" in output:
        columns["interval_low"], columns["interval_high"] = output["interval"]
    columns |= {f"contribution_{name}": value for name, value in output["contributions"].items()}
    columns["base"] = output["base"]
    return {**columns, "warnings": "; ".join(output.get("warnings", [])), "error": ""}
