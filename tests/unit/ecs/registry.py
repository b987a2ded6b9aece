"""The part of ECR that a push uses: the API, and the registry behind it."""

import base64
import hashlib
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ecs.names import IMAGES, STORE

PASSWORD = "valid-for-twelve-hours"
_BASIC = "Basic " + base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()


class Registry:
    """A context manager. `images` holds the pushed manifests by repository:tag."""

    def __init__(self) -> None:
        self.repositories = [f"paygrade/{image}" for image in (*IMAGES, STORE)]
        self.denied: set[str] = set()
        """Repositories that the caller may not see."""
        self.images: dict[str, Any] = {}
        self.blobs: dict[str, int] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.registry = self  # type: ignore[attr-defined]
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "Registry":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def environment(self) -> dict[str, str]:
        """Points boto3 to this server."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self.address}",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
        }

    def api(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if operation == "GetAuthorizationToken":
            token = _BASIC.removeprefix("Basic ")
            authorization = {"authorizationToken": token, "proxyEndpoint": f"http://{self.address}"}
            return 200, {"authorizationData": [authorization]}
        if operation == "DescribeRepositories":
            if self.denied & set(request["repositoryNames"]):
                return 400, {"__type": "AccessDeniedException"}
            if not set(request["repositoryNames"]) <= set(self.repositories):
                return 400, {"__type": "RepositoryNotFoundException"}
            uris = {name: f"{self.address}/{name}" for name in request["repositoryNames"]}
            found = [{"repositoryName": name, "repositoryUri": uri} for name, uri in uris.items()]
            return 200, {"repositories": found}
        assert operation == "DescribeImages"
        name, tag = request["repositoryName"], request["imageIds"][0]["imageTag"]
        if name not in self.repositories:
            return 400, {"__type": "RepositoryNotFoundException"}
        if f"{name}:{tag}" not in self.images:
            return 400, {"__type": "ImageNotFoundException"}
        return 200, {"imageDetails": [{"repositoryName": name, "imageTags": [tag]}]}


NO_STACK = (
    b"<ErrorResponse><Error><Code>ValidationError</Code>"
    b"<Message>Stack with id paygrade-app does not exist</Message></Error></ErrorResponse>"
)
"""Of CloudFormation: there is no deployment yet."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def registry(self) -> Registry:
        registry: Registry = self.server.registry  # type: ignore[attr-defined]
        return registry

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/" and "X-Amz-Target" not in self.headers:
            self._respond(400, NO_STACK)
        elif self.path == "/":
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            status, response = self.registry.api(operation, json.loads(body))
            self._respond(
                status, json.dumps(response).encode(), {"Content-Type": "application/x-amz-json-1.1"}
            )
        elif self._authorized():
            self._respond(202, headers={"Location": f"{self.path}one", "Range": "0-0"})

    def do_GET(self) -> None:
        if self._authorized():
            self._respond(200)

    def do_HEAD(self) -> None:
        if self._authorized():
            digest = self.path.rpartition("/")[2]
            size = self.registry.blobs.get(digest)
            self._respond(404 if size is None else 200, headers={"Content-Length": str(size or 0)})

    def do_PATCH(self) -> None:
        body = self._body()
        if self._authorized():
            self._store(body)
            self._respond(202, headers={"Location": self.path, "Range": f"0-{len(body)}"})

    def do_PUT(self) -> None:
        body = self._body()
        if not self._authorized():
            return
        address = urlsplit(self.path)
        if "/manifests/" in address.path:
            repository, _, tag = address.path.removeprefix("/v2/").partition("/manifests/")
            self.registry.images[f"{repository}:{tag}"] = json.loads(body)
            digest = self._store(body)
        else:
            if body:
                self._store(body)
            [digest] = parse_qs(address.query)["digest"]
            assert digest in self.registry.blobs
        self._respond(201, headers={"Docker-Content-Digest": digest})

    def _store(self, body: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self.registry.blobs[digest] = len(body)
        return digest

    def _authorized(self) -> bool:
        if self.headers["Authorization"] == _BASIC:
            return True
        self._respond(401, headers={"WWW-Authenticate": 'Basic realm="registry"'})
        return False

    def _body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _respond(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(BrokenPipeError):
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 (the name in the base class)
        """Logs nothing."""
