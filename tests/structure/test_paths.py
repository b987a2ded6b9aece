"""How much a reader has to open to follow a request from POST to its result."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.structure.code import ROOT
from tests.structure.journey import Journey, Trace


class Size(NamedTuple):
    files: int
    scripts: int


def post_prediction(journey: Journey) -> None:
    accepted = journey.call("POST", "/v1/predictions", b'{"inputs":{"years":2.5}}', "application/json")
    assert accepted.status == 202, accepted.body
    assert journey.ended(accepted.location)["output"] == {"prediction": 260.00012}


def post_csv(journey: Journey) -> None:
    accepted = journey.call("POST", "/v1/batches", b"id,years\na,2.5\nb,4.5\n", "text/csv")
    assert accepted.status == 202, accepted.body
    results = journey.call("GET", journey.ended(accepted.location)["urls"]["results"])
    assert results.body == b"id,prediction,warnings,error\na,260.00012,,\nb,374.99866,,\n"


SendRequest = Callable[[Journey], None]

MOST: dict[SendRequest, Size] = {
    post_prediction: Size(files=22, scripts=5),
    post_csv: Size(files=43, scripts=8),
}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        journey = Journey(tmp_path_factory.mktemp("data"), monkeypatch)
        yield journey
        journey.close()


def traced(journey: Journey, request_once: SendRequest) -> Trace:
    request_once(journey)  # whatever runs at start-up only
    trace = Trace(journey.strangers)
    with trace.on():
        request_once(journey)
    return trace


@pytest.mark.parametrize("request_once", MOST, ids=lambda request: request.__name__)
def test_a_request_runs_through_few_files_and_scripts(journey: Journey, request_once: SendRequest) -> None:
    trace = traced(journey, request_once)
    assert {"web/connection.py", "web/app.py", "worker/child.py"} <= trace.functions.keys()
    most = MOST[request_once]
    assert len(trace.functions) <= most.files, sorted(trace.functions)
    assert len(trace.scripts) <= most.scripts, sorted(trace.scripts)


SECTIONS: dict[SendRequest, str] = {post_prediction: "## A prediction", post_csv: "## A file"}


@pytest.mark.parametrize("request_once", SECTIONS, ids=lambda request: request.__name__)
def test_the_documents_name_each_file_that_a_request_runs_through(
    journey: Journey, request_once: SendRequest
) -> None:
    page = (ROOT / "docs/explanations/how-a-job-travels.md").read_text()
    named = set(re.findall(r"`([\w/]+\.py)`", _section(page, SECTIONS[request_once])))
    if request_once is post_csv:  # names what both share once
        named |= set(re.findall(r"`([\w/]+\.py)`", _shared(page)))
    assert traced(journey, request_once).functions.keys() - named == set()


def _section(page: str, title: str) -> str:
    return page.partition(f"\n{title}\n")[2].partition("\n## ")[0]


def _shared(page: str) -> str:
    return page.partition("\nWhat the steps share:")[2].partition("\n\n")[0]
