"""How many files of web a request runs through: a reader should find each request in a few."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import web
from tests.unit.web.batch_calls import posted
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site
from web.keys import digest

FOLDER = str(Path(web.__file__).parent) + "/"
PREDICTION = {
    "app.py",
    "key_limits.py",
    "process_limits.py",
    "predictions.py",
    "requests.py",
    "prediction_submission.py",
    "submission.py",
}
"""And connection.py, which the test client replaces."""
BATCH = PREDICTION - {"predictions.py", "key_limits.py", "prediction_submission.py"} | {
    "batch_inputs.py",
    "batch_requests.py",
    "batch_submission.py",
    "batches.py",
    "file_bodies.py",
}

NOT_THE_REQUEST = {"openapi/document.py", "waiting.py"}
"""The client checks each response against the document; a subscription may still close meanwhile."""


def files_run(call: Callable[[], object]) -> set[str]:
    """The files of web in which a function runs."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(FOLDER):
            files.add(frame.f_code.co_filename.removeprefix(FOLDER))

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(previous)
    return files


def test_a_prediction_runs_through_eight_files(new_site: NewSite) -> None:
    site = new_site(keys=f"ann:{digest('key')}")

    def post_and_get() -> None:
        job_id = site.post_years(X_API_Key="key", Idempotency_Key="k", Cancel_After="1h")
        assert site.client.get(f"/v1/predictions/{job_id}", headers={"X-API-Key": "key"}).status_code == 200

    post_and_get()  # what runs only once
    assert files_run(post_and_get) - NOT_THE_REQUEST == PREDICTION


def test_a_batch_runs_through_ten_files(site: Site) -> None:
    def post_and_get() -> None:
        path = posted(site)
        site.score_batches()
        site.client.get(path)
        assert site.client.get(f"{path}/results").status_code == 200

    post_and_get()
    assert files_run(post_and_get) - NOT_THE_REQUEST == BATCH
