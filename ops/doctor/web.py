"""Web as its callers see it."""

import json
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from jobs.errors import JobsError
from ops.doctor import processes
from ops.doctor.finding import Finding, fault, ok, warning

ANSWER_SECONDS = 10


class ProbeFailed(JobsError):
    """Web did not answer as it should."""


class IgnoreRedirects(HTTPRedirectHandler):
    """The key would go wherever they point."""

    def redirect_request(self, *_: Any) -> None:
        return None


class WebProbe:
    """Raises ProbeFailed for an address that is not one of web."""

    def __init__(self, url: str, key: str, opener: OpenerDirector | None = None) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname or address.username is not None:
            raise ProbeFailed("--url must be http://HOST:PORT or https://HOST, without a user or a password")
        if not (url.isascii() and key.isascii() and key.isprintable()):
            raise ProbeFailed("the address or the key has characters that none has")
        self.url = url.rstrip("/")
        self.has_key = bool(key)
        here = address.hostname in ("127.0.0.1", "localhost", "::1")
        self.encrypted = here or address.scheme == "https"
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        proxies = ProxyHandler({} if here else None)  # no proxy reaches one's own machine
        self._opener = opener or build_opener(IgnoreRedirects, proxies)

    def get(self, path: str) -> dict[str, Any]:
        """Raises ProbeFailed unless web answers 200 with a JSON object."""
        request = Request(self.url + path, headers=self._headers)  # noqa: S310 (the scheme is checked above)
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                found = json.loads(answer.read())
        except HTTPError as error:
            raise ProbeFailed(f"{path} answers {error.code}{_detail(error)}") from None
        except (URLError, OSError, HTTPException) as error:
            raise ProbeFailed(f"{self.url} cannot be reached ({getattr(error, 'reason', error)})") from None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ProbeFailed(f"what answers at {self.url} is not Paygrade")
        return found


def look(web: WebProbe) -> Iterator[Finding]:
    try:
        web.get("/healthz")
        yield ok("web", f"{web.url} answers")
    except ProbeFailed as error:
        yield fault("web", str(error))
        return
    if not web.encrypted:
        yield warning("web", "http lets others on the network read key, rows and scores; use https")
    for about, check in (("ready", _ready), ("key", _key), ("models", _models), ("capacity", _capacity)):
        try:
            yield from check(web)
        except ProbeFailed as error:
            yield fault(about, str(error))


def _ready(web: WebProbe) -> Iterator[Finding]:
    web.get("/readyz")
    yield ok("ready", "web reaches Redis")


def _key(web: WebProbe) -> Iterator[Finding]:
    web.get("/v1/predictions?limit=1")
    yield ok("key", "accepted" if web.has_key else "none is needed")


def _models(web: WebProbe) -> Iterator[Finding]:
    models = web.get("/v1/models")["data"]
    refs = [f"{model['name']}@{version}" for model in models for version in model["versions"]]
    if not any(model["default"] for model in models):
        yield fault("models", f"{', '.join(refs) or 'none'}; the default model is not among them")
    else:
        yield ok("models", ", ".join(refs))


def _capacity(web: WebProbe) -> Iterator[Finding]:
    yield from processes.look(web.get("/v1/capacity"))


def _detail(error: HTTPError) -> str:
    try:
        return f": {json.loads(error.read())['detail']}"
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return ""
