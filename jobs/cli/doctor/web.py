"""Web, as its callers see it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from jobs.cli.api import Api
from jobs.cli.doctor import processes
from jobs.cli.doctor.finding import Finding, fault, ok, warning
from jobs.errors import JobsError
from jobs.predictions.resource import PATH


def look(api: Api) -> Iterator[Finding]:
    try:
        api.ask("GET", "/healthz")
        yield ok("web", f"{api.url} answers")
    except JobsError as error:
        yield fault("web", str(error))
        return
    yield from encrypted(api)
    for about, check in (("ready", _ready), ("key", _key), ("models", _models), ("capacity", _capacity)):
        try:
            yield from check(api)
        except JobsError as error:
            yield fault(about, str(error))


def encrypted(api: Api) -> Iterator[Finding]:
    address = urlsplit(api.url)
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "localhost", "::1"):
        yield warning("web", "over http whoever is on the way can read key, rows and scores: take https")


def _ready(api: Api) -> Iterator[Finding]:
    api.ask("GET", "/readyz")
    yield ok("ready", "web reaches Redis")


def _key(api: Api) -> Iterator[Finding]:
    api.ask("GET", f"{PATH}?limit=1")
    yield ok("key", "it is accepted" if api.has_key else "none is needed")


def _models(api: Api) -> Iterator[Finding]:
    models = api.ask("GET", "/v1/models")["data"]
    refs = [f"{model['name']}@{version}" for model in models for version in model["versions"]]
    if not any(model["default"] for model in models):
        yield fault("models", f"{', '.join(refs) or 'none'}, and the default model is not among them")
    else:
        yield ok("models", ", ".join(refs))


def _capacity(api: Api) -> Iterator[Finding]:
    yield from processes.look(api.capacity())
