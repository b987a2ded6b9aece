"""What a caller sent is not written to logs, whatever goes wrong with it."""

import json
import socket
from collections.abc import Callable

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import kill, wait_until
from tests.integration.stack import Stack
from tests.integration.test_lost_workers import SOON, TROUBLED

Call = Callable[[Stack], Caller]

TELLTALE = "86753.09"
HEADERS = "POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def send_raw(stack: Stack, text: str) -> bytes:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(4096):
            answer += part
        return answer


def lines_with_telltale(stack: Stack) -> list[str]:
    return [
        f"{log.name}: {line}"
        for log in stack.logs()
        for line in log.read_text(errors="replace").splitlines()
        if TELLTALE in line
    ]


def test_no_log_holds_a_value_that_was_sent(start_stack: StartStack, call: Call) -> None:
    stack = start_stack(SOON | {"PAYGRADE_LOG_LEVEL": "DEBUG"})
    stack.start_web()
    stack.start_worker(*TROUBLED, "poison", TELLTALE)
    caller = call(stack)
    secret = float(TELLTALE)
    poisoned = caller.accepted({"years": secret}, metadata={TELLTALE: TELLTALE})
    for inputs in ({"years": TELLTALE + "x"}, {TELLTALE: 1}, [{"years": 1}, TELLTALE], {"years": [secret]}):
        assert caller.post(inputs).status_code == 422
    assert caller.post({"years": 1}, model=TELLTALE).status_code == 404
    assert caller.get(f"/v1/predictions/{TELLTALE}?wait={TELLTALE}").status_code in (400, 404)
    assert caller.ended(poisoned)["error"]["type"] == "worker_lost"
    stack.store.kill()
    assert caller.post({"years": secret}).status_code == 503
    stack.start_store()
    wait_until("posting works again", lambda: caller.post({"years": 1}).status_code == 202)
    assert not lines_with_telltale(stack)


def test_no_log_holds_a_value_of_a_body_longer_than_it_said(start_stack: StartStack) -> None:
    """What is left over of it arrives where the next request is to begin."""
    stack = start_stack()
    stack.start_web()
    body = json.dumps({"inputs": {"years": 1}})
    row = '{"years": ' + TELLTALE + "}"
    answer = send_raw(stack, f"{HEADERS}Content-Length: {len(body)}\r\n\r\n{body}{row}\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 202")
    send_raw(stack, f"{HEADERS}Content-Length: {TELLTALE}\r\n\r\n{body}")
    send_raw(stack, f"{HEADERS}Transfer-Encoding: chunked\r\n\r\n{TELLTALE}\r\n{body}\r\n0\r\n\r\n")
    send_raw(stack, f"{HEADERS}Content-Length: 500\r\n\r\n{row}")
    assert not lines_with_telltale(stack)


def test_every_line_is_json_even_those_of_children_that_are_killed(start_stack: StartStack) -> None:
    stack = start_stack({"PAYGRADE_QUEUES": "predictions", "PAYGRADE_CHILDREN": "1"})
    worker = stack.ready(stack.start_worker())
    [child] = worker.children()
    kill(child)
    wait_until("another is ready", lambda: len(worker.events("ready")) == 2)
    lines = [json.loads(line) for line in worker.says().splitlines()]
    assert any(f"pid:{child}" in line.get("message", "") for line in lines)
