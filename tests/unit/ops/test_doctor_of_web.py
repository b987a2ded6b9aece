"""doctor --url: web as its callers see it."""

import json
from collections.abc import Sequence
from email.message import Message
from io import BytesIO
from typing import Any
from urllib.request import BaseHandler, OpenerDirector, Request, build_opener
from urllib.response import addinfourl

import pytest

from jobs import RELEASE
from ops.doctor.finding import Finding, Severity
from ops.doctor.web import IgnoreRedirects, ProbeFailed, WebProbe, look

NOW = {
    "waiting": 3,
    "oldest_age_seconds": 0.1,
    "workers": 1,
    "children": 2,
    "releases": [RELEASE],
    "accepting": True,
}
MODEL = {"name": "salary", "versions": [1, 2], "default": True}
WebAnswer = tuple[int, Any]

HEALTHY: WebAnswer = (200, {"status": "ok"})
READY: WebAnswer = (200, {"status": "ready"})
LISTED: WebAnswer = (200, {"data": []})
SERVED: WebAnswer = (200, {"data": [MODEL]})
CAPACITY: WebAnswer = (200, NOW)
UNAVAILABLE: WebAnswer = (503, {"detail": "Redis does not answer"})


class PlayedWeb(BaseHandler):
    """Gives these answers in this order, instead of a connection."""

    def __init__(self, answers: Sequence[WebAnswer]) -> None:
        self.asked: list[Request] = []
        self._answers = list(answers)

    def http_open(self, request: Request) -> addinfourl:
        self.asked.append(request)
        status, body = self._answers.pop(0)
        headers = Message()
        headers["Location"] = "http://elsewhere/"
        answer = addinfourl(BytesIO(json.dumps(body).encode()), headers, request.full_url, status)
        answer.msg = ""  # type: ignore[attr-defined]
        return answer

    https_open = http_open


def opener_of(web: PlayedWeb) -> OpenerDirector:
    opener = build_opener(IgnoreRedirects)
    opener.handle_open.clear()  # type: ignore[attr-defined]
    opener.add_handler(web)
    return opener


def found(*answers: WebAnswer, url: str = "http://localhost:8000", key: str = "") -> list[Finding]:
    return list(look(WebProbe(url, key, opener_of(PlayedWeb(answers)))))


def test_web_is_asked_what_its_callers_may_ask() -> None:
    web = PlayedWeb([HEALTHY, READY, LISTED, SERVED, CAPACITY])
    findings = list(look(WebProbe("http://localhost:8000/", "secret", opener_of(web))))
    assert {finding.state for finding in findings} == {Severity.OK}
    assert "salary@1, salary@2" in [finding.found for finding in findings]
    assert [request.selector for request in web.asked] == [
        *("/healthz", "/readyz", "/v1/predictions?limit=1", "/v1/models", "/v1/capacity"),
    ]
    assert {request.headers["Authorization"] for request in web.asked} == {"Bearer secret"}


@pytest.mark.parametrize(
    ("answers", "about"),
    [
        ([(502, "Bad Gateway")], "web"),
        ([(200, "Welcome")], "web"),
        ([(302, {})], "web"),
        ([HEALTHY, UNAVAILABLE, LISTED, SERVED, CAPACITY], "ready"),
        ([HEALTHY, READY, (401, {"detail": "send a valid key"}), SERVED, CAPACITY], "key"),
        ([HEALTHY, READY, LISTED, (200, {"data": []}), CAPACITY], "models"),
        ([HEALTHY, READY, LISTED, (200, {"data": [MODEL | {"default": False}]}), CAPACITY], "models"),
        ([HEALTHY, READY, LISTED, SERVED, UNAVAILABLE], "capacity"),
        ([HEALTHY, READY, LISTED, SERVED, (200, NOW | {"accepting": False})], "queue"),
    ],
    ids=str,
)
def test_what_web_cannot_do_is_a_fault(answers: list[WebAnswer], about: str) -> None:
    faults = [finding.about for finding in found(*answers) if finding.state is Severity.FAULT]
    assert faults == [about]


def test_a_redirect_is_not_followed() -> None:
    web = PlayedWeb([(302, {}), HEALTHY])
    list(look(WebProbe("http://localhost", "secret", opener_of(web))))
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("url", "warned"),
    [("http://paygrade.example", True), ("https://paygrade.example", False), ("http://[::1]:8000", False)],
)
def test_http_is_a_warning_except_on_loopback(url: str, warned: bool) -> None:
    findings = found(HEALTHY, READY, LISTED, SERVED, CAPACITY, url=url)
    assert any(finding.state is Severity.WARNING for finding in findings) is warned


@pytest.mark.parametrize("url", ["localhost:8000", "http://user:word@localhost", "http://"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ProbeFailed, match="--url must be"):
        WebProbe(url, "")
