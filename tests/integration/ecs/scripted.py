"""A server with prepared AWS responses, for cases that ministack does not emulate."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Response = tuple[int, str]

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>X</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""

_ZONE = (
    "<item><zoneName>{0}</zoneName><zoneId>{0}</zoneId><zoneState>available</zoneState>"
    "<zoneType>availability-zone</zoneType></item>"
)
ZONES = (
    '<DescribeAvailabilityZonesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><availabilityZoneInfo>'
    f"{_ZONE.format('a')}{_ZONE.format('b')}</availabilityZoneInfo></DescribeAvailabilityZonesResponse>"
)


class Scripted:
    """Returns the responses of each action in order, and repeats the last one."""

    def __init__(self, answers: dict[str, list[Response]]) -> None:
        self.actions: list[str] = []
        self._answers = {
            "GetCallerIdentity": [(200, IDENTITY)],
            "DescribeAvailabilityZones": [(200, ZONES)],
            **answers,
        }
        self._changed = threading.Condition()
        handler = type("Handler", (_Handler,), {"answer": self._answer})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _answer(self, action: str) -> Response:
        with self._changed:
            self.actions.append(action)
            self._changed.notify_all()
            left = self._answers.get(
                action, [(400, error("InvalidAction", f"{action} is not in the script"))]
            )
            return left.pop(0) if len(left) > 1 else left[0]

    def wait_for(self, action: str, times: int) -> None:
        """Waits until the action was requested this many times."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.actions.count(action) >= times, timeout=60), (
                self.actions
            )

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    answer: Callable[[str], Response]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        target = self.headers.get("X-Amz-Target", "")
        action = target.rpartition(".")[2] if target else parse_qs(body)["Action"][0]
        self._send(*self.answer(action))

    def do_HEAD(self) -> None:
        self._send(404, "")  # no bucket

    def do_GET(self) -> None:
        self._send(404, "<Error><Code>NoSuchBucket</Code></Error>")

    def _send(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name in the base class)
        """Logs nothing."""


def error(code: str, message: str) -> str:
    return (
        '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )


def result(action: str, body: str) -> Response:
    namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
    return (
        200,
        f'<{action}Response xmlns="{namespace}"><{action}Result>{body}</{action}Result></{action}Response>',
    )


def stack(status: str, reason: str = "") -> Response:
    return result(
        "DescribeStacks",
        "<Stacks><member><StackName>paygrade-base</StackName><StackId>arn:paygrade-base</StackId>"
        f"<StackStatus>{status}</StackStatus><StackStatusReason>{reason}</StackStatusReason>"
        "<Parameters><member><ParameterKey>Name</ParameterKey>"
        "<ParameterValue>paygrade</ParameterValue></member></Parameters>"
        "<CreationTime>2026-11-22T04:00:00Z</CreationTime></member></Stacks>",
    )


def events(*events: tuple[str, str, str, str]) -> Response:
    """Each event has a logical id, a type, a status and a reason; the newest is last."""
    members = "".join(
        f"<member><EventId>{number}</EventId><StackId>arn:paygrade-base</StackId><StackName>paygrade-base</StackName>"
        f"<LogicalResourceId>{name}</LogicalResourceId><ResourceType>AWS::{kind}</ResourceType>"
        f"<PhysicalResourceId>arn:{name}</PhysicalResourceId><ResourceStatus>{status}</ResourceStatus>"
        f"<ResourceStatusReason>{reason}</ResourceStatusReason><Timestamp>2026-11-22T04:00:00Z</Timestamp></member>"
        for number, (name, kind, status, reason) in reversed(list(enumerate(events)))
    )
    return result("DescribeStackEvents", f"<StackEvents>{members}</StackEvents>")
