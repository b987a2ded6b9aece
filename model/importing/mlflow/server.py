"""MLflow's tracking server: finds a model, and brings its files to this machine."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.description.errors import BundleError
from model.importing.mlflow.folder import LocalFolder, ModelFolder, check_name

API = "api/2.0"
ANSWER_LIMIT = 16 << 20
PIECE = 1 << 20
TIMEOUT_SECONDS = 60


class TrackingServer:
    """Calls the REST API at an address; `headers` are sent with each call."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self.address = address.rstrip("/")
        self._headers = headers
        self._opener = urllib.request.build_opener(_NoRedirect)

    def version(self, name: str, version: str) -> str:
        """Return where the files of a version of a registered model are."""
        found = self._get("mlflow/model-versions/get-download-uri", name=name, version=version)
        return str(found.get("artifact_uri", ""))

    def version_of_alias(self, name: str, alias: str) -> str:
        """Return the number of the version that an alias names."""
        found = self._get("mlflow/registered-models/alias", name=name, alias=alias)
        return str(found.get("model_version", {}).get("version", ""))

    def latest_version(self, name: str) -> str:
        """Return the number of the newest version."""
        query = {"filter": f"name='{name}'", "max_results": "1", "order_by": "version_number DESC"}
        found = self._get("mlflow/model-versions/search", **query).get("model_versions", [])
        if not found:
            raise BundleError(f"{self.address}: the model {name} has no version")
        return str(found[0]["version"])

    def logged_model(self, model_id: str) -> str:
        """Return where the files of a model of MLflow 3 are."""
        found = self._get(f"mlflow/logged-models/{urllib.parse.quote(model_id, safe='')}")
        return str(found.get("model", {}).get("info", {}).get("artifact_uri", ""))

    def run(self, run_id: str, path: str) -> str:
        """Return where the files of a run's model are: MLflow 3 keeps them beside the run, and not in it."""
        run = self._get("mlflow/runs/get", run_id=run_id).get("run", {})
        for output in run.get("outputs", {}).get("model_outputs", []):
            model_id = str(output.get("model_id", ""))
            info = self._get(f"mlflow/logged-models/{urllib.parse.quote(model_id, safe='')}").get("model", {})
            if info.get("info", {}).get("name") == path:
                return str(info["info"].get("artifact_uri", ""))
        return f"{run.get('info', {}).get('artifact_uri', '')}/{path}"

    def folder(self, artifacts: str, origin: str, cache: Path) -> ModelFolder:
        """Return the folder at an address of artifacts; raises BundleError if this command cannot read it."""
        parsed = urllib.parse.urlparse(artifacts)
        if parsed.scheme == "mlflow-artifacts":
            return _RemoteFolder(self, parsed.path.strip("/"), origin, cache)
        if parsed.scheme in ("", "file"):
            return LocalFolder(Path(urllib.parse.unquote(parsed.path)), origin)
        raise BundleError(
            f"{origin}: its files are in {parsed.scheme}://{parsed.netloc}, which this command does not "
            "read; fetch them, and import the folder: "
            f"mlflow artifacts download --artifact-uri {origin} --dst-path ."
        )

    def download(self, path: str, target: Path, limit: int) -> None:
        """Write a file of the server's artifacts to `target`."""
        with self._open(f"mlflow-artifacts/artifacts/{urllib.parse.quote(path)}") as answer:
            left = limit
            with target.open("wb") as file:
                while piece := answer.read(PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise BundleError(f"{path}: is larger than {limit} bytes, and is not read")
                    file.write(piece)

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        with self._open(f"{path}?{urllib.parse.urlencode(query)}") as answer:
            try:
                content = json.loads(answer.read(ANSWER_LIMIT))
            except (ValueError, RecursionError):
                raise BundleError(f"{self.address}: does not answer as an MLflow server does") from None
        if not isinstance(content, dict):
            raise BundleError(f"{self.address}: does not answer as an MLflow server does")
        return content

    def _open(self, path: str) -> Any:
        request = urllib.request.Request(f"{self.address}/{API}/{path}", headers=dict(self._headers))  # noqa: S310 (http only)
        try:
            return self._opener.open(request, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            raise BundleError(f"{self.address}: {_reason(error)}") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise BundleError(f"{self.address}: the tracking server cannot be reached: {reason}") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would carry the authorization to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _RemoteFolder:
    """A folder of the server's artifacts; what is used of it is copied to `cache`."""

    def __init__(self, server: TrackingServer, path: str, location: str, cache: Path) -> None:
        self.location = location
        self._server = server
        self._path = path
        self._cache = cache

    def file(self, name: str, limit: int) -> Path:
        check_name(name, self.location)
        target = self._cache / Path(name).name
        self._server.download(f"{self._path}/{name}", target, limit)
        return target


def _reason(error: urllib.error.HTTPError) -> str:
    """Return what the server says is wrong, on one line."""
    try:
        message = str(json.loads(error.read(ANSWER_LIMIT))["message"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        message = error.reason
    return f"{' '.join(message.split())[:200]} ({error.code})"


def authorization(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the header that MLflow's own variables ask for."""
    if token := environment.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    if user := environment.get("MLFLOW_TRACKING_USERNAME"):
        both = f"{user}:{environment.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
    return {}
