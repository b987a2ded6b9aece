"""The wait that a caller requests."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from tests.unit.web.site import Site, problem
from web.requests import read_prefer_wait, read_query_wait


def asking(prefer: str | None = None, query: str = "") -> Request:
    headers = [] if prefer is None else [("Prefer", prefer)]
    return Request(EnvironBuilder(query_string=query, headers=headers).get_environ())


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=0", 0),
        ("wait=7", 7),
        ('wait="7"', 7),
        ("Wait = 7", 7),
        ("wait=007", 7),
        ("wait=25", 25),
        ("wait=26", 25),
        ("wait=999999999", 25),
        ("respond-async", 0),
        ("respond-async, wait=7", 0),
        ("wait=7,Respond-Async", 0),
        ("wait=7; foo=bar", 7),
        ("handling=lenient, wait=7", 7),
        ("waiting=x, return=minimal", 0),
        ("wait=7, wait=9", 7),
    ],
)
def test_the_header_prefer_sets_the_wait(prefer: str | None, seconds: int) -> None:
    assert read_prefer_wait(asking(prefer)) == seconds


@pytest.mark.parametrize(("query", "seconds"), [("", 0), ("wait=0", 0), ("wait=7", 7), ("wait=99", 25)])
def test_the_query_sets_the_wait(query: str, seconds: int) -> None:
    assert read_query_wait(asking(query=query)) == seconds


@pytest.mark.parametrize(
    "wait", ["wait", "wait=", "wait=x", "wait=-1", "wait=1.5", "wait=1e1", "wait=1 2", "wait=²"]
)
def test_a_preference_that_cannot_be_read_is_refused(site: Site, wait: str) -> None:
    problem(site.post({"inputs": {"years": 2.5}}, Prefer=wait), 400)
    assert site.is_untouched()


@pytest.mark.parametrize("wait", ["", "x", "-1", "%2B1", "1.5", "1e1", "%201", "1%0A", "%EF%BC%97", "9" * 10])
def test_a_query_that_cannot_be_read_is_refused(site: Site, wait: str) -> None:
    path = f"/v1/predictions/{site.post_years()}"
    problem(site.client.get(f"{path}?wait={wait}"), 400)
