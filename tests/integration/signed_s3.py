"""S3 as moto plays it, behind a gate that holds presigned addresses to what S3 itself holds them to.

Moto looks at no signature. The gate computes each anew, and refuses one that is not right, not in time, or
beside another kind of proof of who asks.
"""

import hashlib
import hmac
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from botocore.exceptions import ClientError

from tests.integration.s3 import S3
from tests.integration.stack import Stack
from web.keys import digest

SECRET = "test"
CUT_AFTER = 100_000
_HOP = {"connection", "transfer-encoding", "date", "server", "access-control-allow-origin"}


class Direct(NamedTuple):
    """A request with a presigned address, without its query."""

    method: str
    path: str
    part: int
    size: int
    headers: Mapping[str, str]


class SignedS3(S3):
    """`cut_parts`: how often a connection is cut that brings a part; `late` is added to the gate's clock."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.direct: list[Direct] = []
        self.refused: list[str] = []
        self.cut_parts: dict[int, int] = {}
        self.late = timedelta()
        self._gate = _GateServer(self, urlsplit(self.environment["AWS_ENDPOINT_URL"]).port or 0)
        threading.Thread(target=self._gate.serve_forever, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self._gate.server_port}"
        self.environment = {**self.environment, "AWS_ENDPOINT_URL": self.origin}

    def lets(self, origin: str, method: str, bucket: str) -> bool:
        """Whether the bucket takes such requests from pages of this origin."""
        try:
            rules = self.client.get_bucket_cors(Bucket=bucket)["CORSRules"]
        except ClientError:
            return False
        return any(origin in rule["AllowedOrigins"] and method in rule["AllowedMethods"] for rule in rules)

    def close(self) -> None:
        self._gate.shutdown()
        self._gate.server_close()
        self.service.kill_group()


@contextmanager
def signed_s3(folder: Path) -> Iterator[SignedS3]:
    played = SignedS3(folder)
    try:
        yield played
    finally:
        played.close()


@contextmanager
def stack_with_direct_files(folder: Path, keys: Mapping[str, str]) -> Iterator[tuple[Stack, SignedS3]]:
    """A service whose files are in S3, with the key of each owner. Its web and worker are not started yet."""
    with signed_s3(folder) as s3:
        s3.client.create_bucket(Bucket="files")
        settings = {
            "PAYGRADE_FILES": "s3://files",
            "PAYGRADE_DIRECT_FILES": "true",
            "PAYGRADE_QUEUES": "predictions,batches",
            "PAYGRADE_BATCH_CHILDREN": "1",
            "PAYGRADE_API_KEYS": ",".join(f"{owner}:{digest(key)}" for owner, key in keys.items()),
            **s3.environment,
        }
        with Stack(folder / "stack", settings) as stack:
            yield stack, s3


class _GateServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, s3: SignedS3, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Gate)
        self.s3 = s3
        self.behind = behind
        """The port of moto."""


class _Gate(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _GateServer

    def __getattr__(self, name: str) -> Any:
        """The same for every method."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._handle

    def _handle(self) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if self.command == "OPTIONS":
            self._answer(200 if self._cors() else 403, {"Access-Control-Allow-Methods": "GET, PUT"}, b"")
            return
        size = int(self.headers.get("Content-Length", 0))
        if "X-Amz-Signature" in query and not self._may_go_on(query, size):
            return
        self._forward(self.rfile.read(size))

    def _may_go_on(self, query: dict[str, str], size: int) -> bool:
        s3, part = self.server.s3, int(query.get("partNumber", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        s3.direct.append(Direct(self.command, urlsplit(self.path).path, part, size, headers))
        if s3.cut_parts.get(part, 0):
            s3.cut_parts[part] -= 1
            self.rfile.read(min(size, CUT_AFTER))
            self.close_connection = True
            self.connection.shutdown(SHUT_RDWR)
            return False
        if reason := _fault(self.command, self.path, query, headers, s3.late):
            s3.refused.append(reason)
            self.rfile.read(size)
            self._answer(403, {}, f"<Error><Code>{reason}</Code></Error>".encode())
            return False
        return True

    def _forward(self, body: bytes) -> None:
        behind = HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        behind.request(self.command, self.path, body, dict(self.headers.items()))
        answer = behind.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        self._answer(answer.status, headers, answer.read())
        behind.close()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, **self._cors()}.items():
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _cors(self) -> dict[str, str]:
        """What tells a browser that the page may see the answer."""
        origin, bucket = self.headers.get("Origin", ""), self.path.split("/")[1]
        method = self.headers.get("Access-Control-Request-Method", self.command)
        lets = bool(origin) and self.server.s3.lets(origin, method, bucket)
        return {"Access-Control-Allow-Origin": origin} if lets else {}

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def _fault(
    method: str, target: str, query: dict[str, str], headers: Mapping[str, str], late: timedelta
) -> str | None:
    """Why S3 would refuse this; None for what it would take."""
    if "authorization" in headers or "x-api-key" in headers:
        return "TwoProofs"
    signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) + late > signed_at + timedelta(seconds=int(query["X-Amz-Expires"])):
        return "ExpiredToken"
    if not hmac.compare_digest(_signature(method, target, query, headers), query["X-Amz-Signature"]):
        return "SignatureDoesNotMatch"
    return None


def _signature(method: str, target: str, query: dict[str, str], headers: Mapping[str, str]) -> str:
    """By version 4 of AWS' process, with the headers as they have come."""
    names = query["X-Amz-SignedHeaders"].split(";")
    rest = sorted(
        (quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in query.items() if k != "X-Amz-Signature"
    )
    canonical = "\n".join(
        [
            method,
            urlsplit(target).path,
            "&".join(f"{name}={value}" for name, value in rest),
            *(f"{name}:{headers.get(name, '')}" for name in names),
            "",
            ";".join(names),
            "UNSIGNED-PAYLOAD",
        ]
    )
    day, region, service, end = query["X-Amz-Credential"].split("/")[1:]
    scope = f"{day}/{region}/{service}/{end}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, digest])
    key = f"AWS4{SECRET}".encode()
    for piece in (day, region, service, end):
        key = hmac.new(key, piece.encode(), "sha256").digest()
    return hmac.new(key, text.encode(), "sha256").hexdigest()
