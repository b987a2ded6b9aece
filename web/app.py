"""The Flask app: what happens before and after every route.

Each request gets an id and an entry in the access log. Host and key are checked before any route runs.
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.ctx import RequestContext
from flask.globals import request_ctx
from flask.sessions import NullSession
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers
from werkzeug.routing import MapAdapter, Rule

from jobs.ids import checked_traceparent
from jobs.settings import Settings
from jobs.tracing import Attributes, Span, Tracing
from web.access_log import UNLOGGED, AccessLog, AnsweredRequest
from web.hosts import names_of
from web.key_limits import KeyLimits
from web.keys import ACCESS, ANONYMOUS, Access, ApiKeys, Owner
from web.problems import Problem
from web.process_limits import Bodies
from web.requests import BODIES, OWNER, REQUEST_ID, ApiRequest
from web.routing import View, routes_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class PlainHeaders(Headers):
    """The given fields as they are: web/connection.py checks all of them for line breaks at once."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__()
        self._list = fields


class JsonResponse(Response):
    default_mimetype = "application/json"

    def __init__(
        self,
        response: Iterable[bytes] | bytes | str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
    ) -> None:
        # Werkzeug would look for a type among the headers, and make an error of its own if there is none.
        content_type = content_type or (None if mimetype else self.default_mimetype)
        if content_type and isinstance(response, bytes):
            fields = [("Content-Type", content_type), ("Content-Length", str(len(response)))]
            super().__init__([response], status, PlainHeaders([*fields, *(headers or {}).items()]))
        else:
            super().__init__(response, status, headers, mimetype, content_type)

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Returns the headers unchanged. Werkzeug would parse and rewrite Location in each response."""
        return self.headers

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answers with a body that is there as it is; Werkzeug would wrap it in two iterators."""
        body = self.response
        if not isinstance(body, list) or not body or environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return body


class Context(RequestContext):
    """There are no sessions, and the rule of a path without variables is found by looking it up."""

    app: "App"
    NO_SESSION = NullSession()

    def __init__(self, app: "App", environ: "WSGIEnvironment") -> None:
        super().__init__(app, environ, session=self.NO_SESSION)
        self.request.max_content_length = app.config["MAX_CONTENT_LENGTH"]

    def match_request(self) -> None:
        environ = self.request.environ
        rule = self.app.fixed_rules.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if rule is None:
            super().match_request()
        else:
            self.request.url_rule, self.request.view_args = rule, {}


class App(Flask):
    request_class = ApiRequest
    response_class = JsonResponse

    def __init__(
        self,
        settings: Settings,
        keys: ApiKeys,
        access_log: AccessLog,
        bodies: Bodies,
        limits: KeyLimits,
        tracing: Tracing | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        super().__init__(__name__, static_folder=None)
        self.config["MAX_CONTENT_LENGTH"] = settings.max_body
        self.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        self.url_map.merge_slashes = False  # Werkzeug would redirect with HTML
        self.fixed_rules: dict[tuple[str, str], Rule] = {}
        """By method and path, where the path has no variables."""
        self._keys = keys
        self._answers_to = names_of(settings, keyed=bool(keys.owners))
        self._access_log = access_log
        self._bodies = bodies
        self._limits = limits
        self._tracing = tracing
        self._random_bytes = random_bytes

    def add_routes(self, views: Iterable[object]) -> None:
        for route in routes_of(views):
            endpoint = f"{route.method} {route.path}"
            self.add_url_rule(route.path, endpoint, route.view, methods=[route.method])
        self.fixed_rules = {
            (method, rule.rule): rule
            for rule in self.url_map.iter_rules()
            if not rule.arguments
            for method in rule.methods or ()
        }

    def request_context(self, environ: "WSGIEnvironment") -> Context:
        return Context(self, environ)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID")
        request_id = given if given and _USABLE_ID.fullmatch(given) else self._random_bytes(16).hex()
        environ[REQUEST_ID] = request_id
        environ[BODIES] = self._bodies
        span = self._span_of(environ) if self._tracing else None
        started = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            headers.append(("X-Request-ID", request_id))
            request: ApiRequest = environ["werkzeug.request"]
            if status[0] == "4" and self._keys.owners and hasattr(request, "owner"):
                self._limits.refused(request.owner.name, request.content_length or 0)
            if request.held:
                self._bodies.hold(request.owner.name, -request.held)
                request.held = 0
            rule = request.url_rule
            route, method = (rule.rule, environ["REQUEST_METHOD"]) if rule else ("none", "none")
            entry = AnsweredRequest(
                time.time_ns() // 1_000_000,
                request_id,
                request.job_id,
                method,
                route,
                status[:3],
                time.perf_counter() - started,
                request.refusal,
                request.traceparent,
            )
            self._access_log.entries.append(entry)
            if span:
                span.end(_attributes_of(entry), f"{method} {route}", failed=status[0] == "5")
            return start_response(status, headers, *failure)

        return self.wsgi_app(environ, start)

    def _span_of(self, environ: "WSGIEnvironment") -> Span | None:
        """Begins the span of a request; all that follows sees it as the trace of the caller."""
        if not self._tracing or environ["PATH_INFO"] in UNLOGGED:
            return None
        given = checked_traceparent(environ.get("HTTP_TRACEPARENT", ""))
        span = self._tracing.start("request", "SERVER", given)
        environ["HTTP_TRACEPARENT"] = span.traceparent
        return span

    def dispatch_request(self) -> Response:
        """Checks host and key, then calls the route with the request; a proxy per access would cost more."""
        request: Any = request_ctx.request
        if self._answers_to and not self._answers_to(request.environ.get("HTTP_HOST", "")):
            raise Problem(
                400,
                "this server does not answer to the name in Host; add it to PAYGRADE_ALLOWED_HOSTS",
                reason="host",
            )
        if request.routing_exception is not None:
            self.raise_routing_exception(request)
        rule = request.url_rule
        access = ACCESS.get(rule.rule, Access.PREDICT)
        view: View = self.view_functions[rule.endpoint]  # type: ignore[assignment]  # Flask allows more
        if access is Access.PUBLIC or not self._keys.owners:
            if access is not Access.PUBLIC:
                request.owner = ANONYMOUS
            return view(request, **request.view_args)
        request.owner = owner = self._owner_of(request)
        if access not in owner.scopes:
            raise Problem(403, f"this key lacks the scope {access.value}; send one that has it")
        self._limits.begin(owner.name)
        try:
            if request.method == "POST" and not rule.rule.endswith("/cancel"):
                self._limits.check(owner.name)
            return view(request, **request.view_args)
        finally:
            self._limits.end(owner.name)

    def _owner_of(self, request: Request) -> Owner:
        if own := request.environ.get(OWNER):
            return own  # type: ignore[no-any-return]
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
        owner = self._keys.owners.get(sha256(key.encode(errors="surrogateescape")).hexdigest())
        if owner is None:
            raise Problem(
                401,
                "no valid key was sent; send one as Authorization: Bearer KEY or as X-API-Key: KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return owner

    # No function is registered to run around a request, and Flask takes longer to find that out.

    def preprocess_request(self) -> ResponseReturnValue | None:
        return super().preprocess_request() if self.before_request_funcs else None

    def process_response(self, response: Response) -> Response:
        return super().process_response(response) if self.after_request_funcs else response

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        if self.teardown_request_funcs:
            super().do_teardown_request(exc)

    def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
        if self.teardown_appcontext_funcs:
            super().do_teardown_appcontext(exc)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the function unchanged: all routes are synchronous, and Flask's check takes several µs."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Ignores the host: no route depends on it, and none redirects."""
        if request is None:
            return None
        environ = request.environ
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
        return MapAdapter(self.url_map, "localhost", "/", "", "http", path, method, query)


def _attributes_of(entry: AnsweredRequest) -> Attributes:
    """By the names that OpenTelemetry gives them, and ours."""
    return {
        "http.request.method": entry.method,
        "http.route": entry.route,
        "http.response.status_code": int(entry.status),
        "paygrade.request_id": entry.request_id,
        "paygrade.job_id": entry.job_id,
    }
