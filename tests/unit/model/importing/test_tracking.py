"""A model of a tracking store is found by its alias, version or run: over HTTP, or in the folder mlruns."""

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from tests.unit.model.command import made, refusal

SAVED = Path(__file__).parents[1] / "saved" / "mlflow-3" / "reg"
MODEL, RUN = "m-84c09ebd73924a10a2c6d71ec60f1590", "83c165a0c7314c3fbc837a8667dc47f3"
ADDRESSES = [
    "models:/rent@champion",
    "models:/rent/3",
    "models:/rent/latest",
    f"models:/{MODEL}",
    f"runs:/{RUN}/model",
]
API = "/api/2.0/"


class Answers(BaseHTTPRequestHandler):
    """What MLflow 3.17 answers, as far as an import asks."""

    artifacts = f"mlflow-artifacts:/1/models/{MODEL}/artifacts"
    authorization = ""

    def do_GET(self) -> None:
        url = urlparse(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix(API)
        files = f"mlflow-artifacts/artifacts/1/models/{MODEL}/artifacts/"
        Answers.authorization = self.headers.get("Authorization", "")
        if path.startswith(files):
            self._send(200, (SAVED / path.removeprefix(files)).read_bytes())
        elif (answer := self._answer(path, query)) is None:
            self._send(
                404, json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not\nfound"}).encode()
            )
        else:
            self._send(200, json.dumps(answer).encode())

    def _answer(self, path: str, query: dict[str, str]) -> Any:
        match path, query:
            case "mlflow/registered-models/alias", {"name": "rent", "alias": "champion"}:
                return {"model_version": {"name": "rent", "version": "3", "source": f"models:/{MODEL}"}}
            case "mlflow/model-versions/search", {"filter": "name='rent'"}:
                return {"model_versions": [{"name": "rent", "version": "3"}]}
            case "mlflow/model-versions/get-download-uri", {"name": "rent", "version": "3"}:
                return {"artifact_uri": self.artifacts}
            case "mlflow/runs/get", {"run_id": run} if run == RUN:
                outputs = {"model_outputs": [{"model_id": MODEL, "step": 0}]}
                return {"run": {"info": {"artifact_uri": f"mlflow-artifacts:/1/{RUN}"}, "outputs": outputs}}
            case logged, _ if logged == f"mlflow/logged-models/{MODEL}":
                return {"model": {"info": {"name": "model", "artifact_uri": self.artifacts}}}
        return None

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listening.server_port}/")
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder mlruns, as MLflow 3 lays it out."""
    root = tmp_path / "mlruns"
    model, run = root / "1" / "models" / MODEL, root / "1" / RUN
    version = root / "models" / "rent" / "version-3"
    for folder in (version, version.parent / "aliases", run / "outputs" / MODEL, model):
        folder.mkdir(parents=True)
    shutil.copytree(SAVED, model / "artifacts")
    (model / "meta.yaml").write_text(f"name: model\nmodel_id: {MODEL}\n")
    (version / "meta.yaml").write_text(f"name: rent\nversion: 3\nsource: models:/{MODEL}\n")
    (version.parent / "aliases" / "champion").write_text("3")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(root))
    return root


@pytest.mark.process
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_model_of_a_server_is_imported(server: str, tmp_path: Path, address: str) -> None:
    manifest = made("import", address, "--name", "rent", "--output", tmp_path)
    assert manifest.schema.names == ("years", "rooms", "lift")
    assert (manifest.training["imported"], len(manifest.examples)) == (address, 5)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_model_of_a_folder_is_imported(store: Path, tmp_path: Path, address: str) -> None:
    manifest = made("import", address, "--name", "rent", "--output", tmp_path / "out")
    assert (manifest.schema.names, len(manifest.examples)) == (("years", "rooms", "lift"), 5)


def test_a_run_of_mlflow_2_holds_its_model(store: Path, tmp_path: Path) -> None:
    shutil.copytree(SAVED, store / "1" / "5d348a04" / "artifacts" / "model")
    manifest = made("import", "runs:/5d348a04/model", "--output", tmp_path / "out")
    assert manifest.name == "model"


@pytest.mark.process
def test_the_name_of_a_registered_model_is_that_of_the_bundle(server: str, tmp_path: Path) -> None:
    assert made("import", "models:/rent@champion", "--output", tmp_path).name == "rent"


@pytest.mark.process
def test_mlflows_own_variables_give_the_authorization(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "pass")
    made("import", "models:/rent/3", "--output", tmp_path)
    assert Answers.authorization == "Basic YWRhOnBhc3M="
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token")
    made("import", "models:/rent/3", "--output", tmp_path)
    assert Answers.authorization == "Bearer token"


@pytest.mark.process
def test_what_the_server_refuses_is_said_in_one_line(server: str, tmp_path: Path) -> None:
    line = refusal("import", "models:/nope@champion", "--output", tmp_path / "out")
    assert line == f"python -m model: {server}: not found (404)"
    assert not (tmp_path / "out").exists()


@pytest.mark.process
def test_a_redirect_is_not_followed_with_the_authorization(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lead_away(answers: Answers) -> None:
        answers.send_response(302)
        answers.send_header("Location", f"{server.replace('127.0.0.1', 'localhost')}{answers.path}")
        answers.end_headers()

    monkeypatch.setattr(Answers, "do_GET", lead_away)
    assert "(302)" in refusal("import", "models:/rent/3", "--output", tmp_path)


@pytest.mark.process
def test_files_in_a_bucket_are_left_to_mlflow(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "artifacts", "s3://bucket/1")
    line = refusal("import", "models:/rent/3", "--output", tmp_path)
    assert "its files are in s3://bucket, which this command does not read" in line
    assert "mlflow artifacts download --artifact-uri models:/rent/3" in line


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("models:/rent@", "give models:/NAME@alias, models:/NAME/3 or runs:/RUN/path"),
        ("models:/rent/Production", "stages are no versions; give an alias"),
        ("models:/../3", "is not the name of a model"),
        ("models:/rent@..", "is not the name of a model"),
        ("runs:/*/model", "is not the name of a model"),
        ("runs:/abc", "give models:/NAME@alias"),
        ("runs:/0000/model", "has no run 0000"),
        ("models:/rent/9", "lacks the file models/rent/version-9/meta.yaml"),
        ("models:/m-0", "has no model m-0"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(
    store: Path, tmp_path: Path, address: str, message: str
) -> None:
    line = refusal("import", address, "--name", "m", "--output", tmp_path / "out")
    assert message in line


@pytest.mark.parametrize(
    ("tracking", "message"),
    [
        ("sqlite:///mlflow.db", "a store of the kind sqlite is not read; start its server"),
        ("nowhere", "there is no MLflow store at nowhere"),
    ],
)
def test_a_store_that_is_not_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracking: str, message: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    assert message in refusal("import", "models:/rent@champion", "--output", tmp_path)
