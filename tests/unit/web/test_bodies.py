"""Bodies that web holds: together they are limited, and one owner has half of the room."""

import gc
from io import BytesIO
from typing import Any

import gevent
import pytest
from gevent.event import Event
from werkzeug.test import TestResponse

from tests.unit.web.batch_calls import CSV
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web.keys import digest

KEYS = ",".join(f"{name}:{digest(name)}" for name in ("ann", "bob", "cy"))
ROW = b'{"inputs": {"years": 2.5}}'
MAX_BODY = 100_000
LONG = ROW + b" " * (MAX_BODY - len(ROW))
AT_ONCE = 8
"""So many bodies of the greatest length may one owner have under way."""


class SlowBody:
    """A body of which the last bytes arrive when they are let go."""

    def __init__(self, body: bytes) -> None:
        self._file = BytesIO(body)
        self._left = len(body)
        self.read_begins, self.let_go = Event(), Event()

    def read(self, size: int = -1) -> bytes:
        self.read_begins.set()
        if size >= self._left - 10:
            self.let_go.wait()
        piece = self._file.read(size)
        self._left -= len(piece)
        return piece


@pytest.fixture
def site(new_site: NewSite) -> Site:
    return new_site(keys=KEYS, max_body=MAX_BODY)


def post(
    site: Site, owner: str, body: Any = LONG, path: str = "/v1/predictions", kind: str = "application/json"
) -> TestResponse:
    if isinstance(body, SlowBody):
        sent: Any = {"environ_overrides": {"wsgi.input": body, "CONTENT_LENGTH": str(MAX_BODY)}}
    else:
        sent = {"data": body}
    return site.client.post(path, content_type=kind, headers={"X-API-Key": owner}, **sent)


def begun(site: Site, owner: str, *args: Any) -> tuple[SlowBody, gevent.Greenlet]:
    body = SlowBody(LONG)
    greenlet = gevent.spawn(post, site, owner, body, *args)
    body.read_begins.wait()
    return body, greenlet


def test_a_body_beyond_the_share_of_its_owner_is_503_and_others_go_on(site: Site) -> None:
    under_way = [begun(site, "ann") for _ in range(AT_ONCE)]
    problem(post(site, "ann"), 503)
    problem(post(site, "ann", kind="text/csv", path="/v1/batches"), 503)
    assert post(site, "ann", ROW).status_code == 202
    assert post(site, "bob").status_code == 202
    for body, _ in under_way:
        body.let_go.set()
    assert {greenlet.get().status_code for _, greenlet in under_way} == {202}
    assert post(site, "ann").status_code == 202


def test_all_owners_together_have_a_limit(site: Site) -> None:
    under_way = [begun(site, owner) for owner in ("ann", "bob") for _ in range(AT_ONCE)]
    problem(post(site, "cy"), 503)
    for body, _ in under_way:
        body.let_go.set()
    gevent.joinall([greenlet for _, greenlet in under_way])
    assert post(site, "cy").status_code == 202


def test_refused_bodies_make_room_again(site: Site) -> None:
    wrong = LONG.replace(b"years", b"month")
    for _ in range(3 * AT_ONCE):
        problem(post(site, "ann", wrong), 422)
    assert post(site, "ann").status_code == 202


def test_a_body_without_a_length_counts_as_long_as_it_is(site: Site) -> None:
    for _ in range(3 * AT_ONCE):
        chunked = {"input_stream": BytesIO(ROW), "environ_overrides": {"wsgi.input_terminated": True}}
        response = site.client.post(
            "/v1/predictions", content_type="application/json", headers={"X-API-Key": "ann"}, **chunked
        )
        assert response.status_code == 202


def test_uploads_count_too(site: Site) -> None:
    for _ in range(3 * AT_ONCE):
        assert post(site, "ann", CSV, "/v1/batches", "text/csv").status_code == 202
    under_way = [begun(site, "ann", "/v1/batches", "text/csv") for _ in range(AT_ONCE)]
    problem(post(site, "ann", CSV + b"a,1\n" * 20_000, "/v1/batches", "text/csv"), 503)
    for body, _ in under_way:
        body.let_go.set()
    gevent.joinall([greenlet for _, greenlet in under_way])


def test_a_body_that_ends_early_is_400(site: Site) -> None:
    announced = {"wsgi.input": BytesIO(ROW), "CONTENT_LENGTH": "50000"}
    cut = site.client.post(
        "/v1/predictions",
        content_type="application/json",
        headers={"X-API-Key": "ann"},
        environ_overrides=announced,
    )
    assert "ended early" in problem(cut, 400)["detail"]


def test_a_caller_who_waits_keeps_no_rows_in_memory(new_site: NewSite) -> None:
    marked = 7312561.25
    site = new_site()
    waits = site.started(site.post, {"inputs": [{"years": marked}] * 1000}, Prefer="wait=1")
    rows = (kept for kept in gc.get_objects() if type(kept) is list and len(kept) == 1)
    assert not [row for row in rows if type(row[0]) is float and row[0] == marked]
    waits.get(timeout=5)
