"""The access log says why a request was refused, and nothing of what was sent."""

import json
from typing import Any

import pytest

from tests.unit.web.batch_calls import post as post_batch
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site
from web.keys import digest

SECRET = "7312561"


def logged(site: Site) -> dict[str, Any]:
    """The line of the only request."""
    site.web.access_log.write()
    lines = [json.loads(line) for line in b"".join(site.logged).splitlines()]
    [answered] = [line for line in lines if line["event"] == "answered"]
    assert SECRET not in str(lines)
    return dict(answered)


@pytest.mark.parametrize(
    ("body", "reason", "faults"),
    [
        (b"{7312561", "not_json", None),
        (b"", "not_json", None),
        (b'{"inputs": {"7312561": 1}}', "invalid_rows", {"missing": 1, "unknown": 1}),
        (b'{"inputs": [{"years": "7312561x"}, {"years": 1e99}, 7]}', "invalid_rows", {"value": 3}),
        (b'{"7312561": 1}', "invalid", {"missing": 1, "unknown": 1}),
        (b'{"inputs": {"years": 1}, "model": "7312561"}', "unknown_model", None),
        (b" " * 2000, "too_long", None),
    ],
)
def test_the_kinds_of_faults_are_counted(
    new_site: NewSite, body: bytes, reason: str, faults: dict[str, int] | None
) -> None:
    site = new_site(max_body=1024)
    site.post(body)
    line = logged(site)
    assert (line["reason"], line.get("faults")) == (reason, faults)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X_API_Key": "7312561"}, "no_key"),
        ({"X_API_Key": "k", "Accept": "text/7312561"}, "accept"),
        ({"X_API_Key": "k", "Prefer": "wait=x7312561"}, "header"),
        ({"X_API_Key": "k", "Content_Encoding": "7312561"}, "media_type"),
        ({"X_API_Key": "o"}, "scope"),
    ],
)
def test_a_refused_header_has_its_reason(new_site: NewSite, headers: dict[str, str], reason: str) -> None:
    site = new_site(keys=f"ann:{digest('k')},ops:{digest('o')}:operate")
    site.post({"inputs": {"years": 1}}, **headers)
    assert logged(site)["reason"] == reason


def test_a_refused_file_has_its_reason(site: Site) -> None:
    post_batch(site, b"7312561\n1\n")
    assert logged(site)["reason"] == "invalid_table"


def test_another_host_has_its_reason(site: Site) -> None:
    site.client.get("/docs", headers={"Host": "7312561.example"})
    assert logged(site)["reason"] == "host"


def test_an_accepted_request_has_none(site: Site) -> None:
    site.post_years()
    assert not {"reason", "faults"} & logged(site).keys()
