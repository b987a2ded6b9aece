"""Every route: request ids, accepted hosts, keys, and problem details for errors."""

import time

import gevent
import pytest
from flask import Response
from werkzeug.test import TestResponse

from jobs import ids
from jobs.queues.usage import UsageReader
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web import waiting
from web.access_log import AccessLog
from web.app import App
from web.key_limits import KeyLimits
from web.keys import ACCESS, ApiKeys, digest
from web.process_limits import Bodies

KEYS = f"ann:{digest('key of ann')},bob:{digest('key of bob')}"
BODY = {"inputs": {"years": 2.5}}
INFER = "/v2/models/salary/infer"
TENSORS = {"inputs": [{"name": "years", "shape": [1], "datatype": "FP64", "data": [2.5]}]}


def call(site: Site, method: str, path: str, **headers: str) -> TestResponse:
    """Sends a valid body to routes that take one. X_Y in the name of a header stands for X-Y."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"/v1/predictions": BODY, "/recms": BODY["inputs"], INFER: TENSORS}.get(path)
    path = path.replace("ABSENT", ids.new_id("pred_"))
    return site.client.open(path, method=method, headers=named, json=body)


JOB = "/v1/predictions/ABSENT"
ON_JOBS = [
    ("POST", "/v1/predictions"),
    ("GET", JOB),
    ("POST", f"{JOB}/cancel"),
    ("POST", "/recms"),
    ("POST", INFER),
]
ON_MODELS = [
    ("GET", "/v2"),
    ("GET", "/v2/models/salary"),
    ("GET", "/v2/models/salary/ready"),
    ("POST", "/v2/repository/index"),
]
HEALTH = ["/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"]
EVERYWHERE = [*ON_JOBS, *ON_MODELS, *(("GET", path) for path in HEALTH), ("GET", "/nowhere")]


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
def test_a_request_keeps_its_own_id(site: Site, method: str, path: str) -> None:
    site.hire()
    for own in ("a", "Az09._-", "x" * 64):
        assert call(site, method, path, X_Request_ID=own).headers["X-Request-ID"] == own


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a;b", "<a>", "é", "a\tb"])
def test_a_request_without_a_usable_id_gets_one(site: Site, given: str) -> None:
    named = [call(site, "GET", "/healthz", X_Request_ID=given).headers["X-Request-ID"] for _ in range(2)]
    assert given not in named
    assert len(set(named)) == 2


def test_an_id_is_made_of_the_randomness_that_is_passed_in(site: Site) -> None:
    log = AccessLog(site.web.access_log.metrics, site.journal)
    limits = KeyLimits(UsageReader(site.redis), site.settings, time.time)
    bodies = Bodies(0, site.web.connections)
    app = App(site.settings, ApiKeys(""), log, bodies, limits, random_bytes=lambda length: b"\xab" * length)
    assert app.test_client().get("/", headers={"Host": "localhost"}).headers["X-Request-ID"] == "ab" * 16


def test_the_table_of_access_lists_only_routes_that_exist(site: Site) -> None:
    assert ACCESS.keys() <= {rule.rule for rule in site.web.app.url_map.iter_rules()}


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:80", "[::1]", "[::1]:8000"])
def test_without_keys_the_names_of_loopback_are_answered(site: Site, host: str) -> None:
    assert call(site, "POST", "/v1/predictions", Host=host).status_code == 202


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1:8000", "", "127.0.0.1@x"]
)
def test_without_keys_any_other_host_is_refused(site: Site, new_site: NewSite, host: str) -> None:
    for method, path in EVERYWHERE:
        problem(call(site, method, path, Host=host), 400)
    assert site.is_untouched()
    keyed = new_site(keys=KEYS)
    assert call(keyed, "POST", "/v1/predictions", Host=host, X_API_Key="key of ann").status_code == 202


@pytest.mark.parametrize(
    "host", ["web:8000", "10.0.0.1:8000", "[fd00::1]:80", "localhost:8000", "A.Example", "b.c.d.e:1"]
)
def test_an_open_server_answers_to_addresses_short_names_and_those_in_the_setting(
    new_site: NewSite, host: str
) -> None:
    site = new_site(allow_anyone=True, allowed_hosts="a.example, *.d.e")
    assert call(site, "POST", "/v1/predictions", Host=host).status_code == 202


@pytest.mark.parametrize(
    "host", ["evil.example", "a.example.evil", "xa.example", "d.e", "10.0.0.1.evil.example", ""]
)
def test_an_open_server_answers_to_no_name_that_somebody_else_may_own(new_site: NewSite, host: str) -> None:
    site = new_site(allow_anyone=True, allowed_hosts="a.example, *.d.e")
    problem(call(site, "POST", "/v1/predictions", Host=host), 400)


def test_with_keys_the_names_of_the_setting_are_answered_and_no_others(new_site: NewSite) -> None:
    site = new_site(keys=KEYS, allowed_hosts="a.example")
    for host, status in (("a.example", 202), ("10.0.0.1", 202), ("evil.example", 400), ("web", 400)):
        assert call(site, "POST", "/v1/predictions", Host=host, X_API_Key="key of ann").status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer key of eve"},
        {"Authorization": "Basic key of ann"},
        {"Authorization": f"Bearer {digest('key of ann')}"},
        {"X_API_Key": ""},
        {"X_API_Key": "key of ann "[::-1]},
        {"X_API_Key": "kéy"},
    ],
)
def test_a_missing_or_wrong_key_is_401(new_site: NewSite, headers: dict[str, str]) -> None:
    site = new_site(keys=KEYS)
    for method, path in [*ON_JOBS, *ON_MODELS]:
        refused = call(site, method, path, **headers)
        problem(refused, 401)
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert site.is_untouched()


@pytest.mark.parametrize("path", HEALTH)
def test_health_needs_no_key(new_site: NewSite, path: str) -> None:
    assert call(new_site(keys=KEYS), "GET", path).status_code == 200


@pytest.mark.parametrize("headers", [{"Authorization": "bearer key of ann"}, {"X_API_Key": "key of ann"}])
def test_a_key_gives_access_to_the_jobs_of_its_owner_only(new_site: NewSite, headers: dict[str, str]) -> None:
    site = new_site(keys=KEYS)
    path = call(site, "POST", "/v1/predictions", **headers).headers["Location"]
    for method, own in (("GET", path), ("POST", f"{path}/cancel")):
        problem(call(site, method, own, X_API_Key="key of bob"), 404)
    assert call(site, "GET", path, **headers).get_json()["status"] == "queued"
    assert call(site, "POST", f"{path}/cancel", **headers).status_code == 200


def test_a_caller_cannot_wait_for_the_job_of_another_owner(
    new_site: NewSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TICK_SECONDS", 3600)  # a wait would not end
    site = new_site(keys=KEYS)
    path = call(site, "POST", "/v1/predictions", X_API_Key="key of ann").headers["Location"]
    waits = gevent.spawn(call, site, "GET", f"{path}?wait=2", X_API_Key="key of bob")
    problem(waits.get(timeout=30), 404)


@pytest.mark.parametrize(("method", "path"), [*ON_JOBS, *ON_MODELS])
@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "application/xml, text/*", "image/*;q=x"]
)
def test_a_caller_that_does_not_accept_json_gets_406(site: Site, method: str, path: str, accept: str) -> None:
    problem(call(site, method, path, Accept=accept), 406)
    assert site.is_untouched()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1", 404),
        ("GET", "/v2/predictions", 404),
        ("GET", "/v2x", 404),
        ("GET", "/v1/v2", 404),
        ("DELETE", "/v2", 405),
        ("POST", "/v1/predictions/", 404),
        ("GET", "/recms", 405),
        ("PUT", "/v1/predictions", 405),
        ("GET", f"{JOB}/cancel", 405),
        ("TRACE", "/healthz", 405),
        ("GET", JOB.replace("/v1/", "/v1//"), 404),
        ("POST", f"{JOB}//cancel", 404),
    ],
)
def test_an_unknown_route_or_method_is_a_problem(site: Site, method: str, path: str, status: int) -> None:
    refused = call(site, method, path)
    said = problem(refused, status)["detail"]
    assert ("Allow" in said and refused.headers["Allow"]) if status == 405 else "/docs" in said


def test_options_lists_the_allowed_methods_without_html(site: Site) -> None:
    response = site.client.options("/v1/predictions")
    assert "POST" in response.headers["Allow"]
    assert response.mimetype != "text/html"


def test_functions_around_a_request_run_if_any_are_registered(site: Site) -> None:
    app, ran = site.web.app, []

    @app.after_request
    def note(response: Response) -> Response:
        ran.append("after")
        return response

    app.before_request(lambda: ran.append("before"))
    app.teardown_request(lambda _: ran.append("request torn down"))
    app.teardown_appcontext(lambda _: ran.append("context torn down"))
    assert site.client.get("/healthz").status_code == 200
    assert ran == ["before", "after", "request torn down", "context torn down"]
