"""What every page does: it asks the API for its visitor, shows a template, and says what was refused."""

from collections.abc import Callable
from functools import cached_property, wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from jobs.files.direct import DirectFiles
from web.app import JsonResponse
from web.own_api import Api, Refused
from web.page.render import Templates, policy
from web.page.requests import require_same_origin
from web.requests import ApiRequest
from web.routing import route

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

View = TypeVar("View", bound=Callable[..., JsonResponse])


class Pages:
    def __init__(
        self,
        app: "WSGIApplication",
        templates: Templates,
        direct: DirectFiles | None = None,
        takes_files: bool = True,
    ) -> None:
        self._app = app
        self._templates = templates
        self.direct = direct
        self.takes_files = takes_files

    @cached_property
    def _headers(self) -> dict[str, str]:
        """With no-referrer, browsers would not say which site a form is from."""
        store = self.direct.origin if self.direct else ""
        return {"Content-Security-Policy": policy(store), "Referrer-Policy": "same-origin"}

    def api(self, request: ApiRequest) -> Api:
        return Api(self._app, request.environ, request.id)

    def show(self, request: ApiRequest, name: str, **shown: Any) -> JsonResponse:
        """The page is answered with 200 even if it says what is wrong: /v1 has the statuses for programs."""
        common = {"has_key": self.api(request).has_key, "live": False, **shown}
        return JsonResponse(self._templates.render(name, common), headers=self._headers, mimetype="text/html")

    def lead_to(self, path: str) -> JsonResponse:
        """`path` is relative, so that it also holds behind a proxy that adds a prefix."""
        return JsonResponse(
            status=HTTPStatus.SEE_OTHER, headers={**self._headers, "Location": path}, mimetype="text/html"
        )


class PageRoutes:
    """A group of pages."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages


def page(method: str, path: str) -> Callable[[View], View]:
    """Makes a method of PageRoutes a page, which shows what the API refuses."""

    def mark(view: View) -> View:
        @wraps(view)
        def shown(routes: PageRoutes, request: ApiRequest) -> JsonResponse:
            if method == "POST":
                require_same_origin(request)
            try:
                if method == "POST":
                    routes.pages.api(request).check_key()  # before a form is read
                return view(routes, request)
            except Refused as refused:
                name = "key" if refused.status == HTTPStatus.UNAUTHORIZED else "problem"
                return routes.pages.show(request, name, refused=refused)

        marked: Any = route(method, path, None)(shown)
        return marked  # type: ignore[no-any-return]

    return mark
