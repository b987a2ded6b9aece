"""/guide: the documentation of this release, as `make docs` has built it into the folder `site`."""

import mimetypes
from collections.abc import Mapping
from importlib.resources.abc import Traversable

from web.app import JsonResponse
from web.openapi.operation import HTML, Operation, ResponseSchema
from web.openapi.parameters import GUIDE_FILE
from web.openapi.routes import CACHE_FILES
from web.problems import Problem
from web.requests import ApiRequest
from web.routing import route

FIRST_PAGE = "README.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The search sends a form to another page of the guide, and reads those that it lists."""
NOT_BUILT = "the guide is not built in this checkout; make docs builds it, and docs/ has its text"


class GuideRoutes:
    """Serves the files that are under `site` now, and no other."""

    def __init__(self, site: Traversable) -> None:
        self._files: Mapping[str, Traversable] = _files_under(site) if site.is_dir() else {}

    @route(
        "GET",
        "/guide",
        Operation(
            "guide",
            "service",
            "Redirect to the first page of the guide",
            {302: ResponseSchema("See /guide/README.html", None, always=("Location",))},
        ),
    )
    def start(self, request: ApiRequest) -> JsonResponse:
        return JsonResponse(status=302, headers={"Location": f"/guide/{FIRST_PAGE}"}, mimetype=HTML)

    @route(
        "GET",
        "/guide/<path:file>",
        Operation(
            "guideFile",
            "service",
            "A page of the guide, or a file of it",
            {200: ResponseSchema("The file", {"type": "string"}, "*/*", always=("Cache-Control",))},
            (404,),
            parameters=(GUIDE_FILE,),
        ),
    )
    def file(self, request: ApiRequest, file: str) -> JsonResponse:
        if not self._files:
            raise Problem(404, NOT_BUILT)
        if file not in self._files:
            raise Problem(404, "the guide has no such page; /guide leads to all that it has")
        headers = {"Cache-Control": CACHE_FILES, "Content-Security-Policy": POLICY}
        media_type = mimetypes.guess_type(file)[0] or "application/octet-stream"
        return JsonResponse(self._files[file].read_bytes(), headers=headers, mimetype=media_type)


def _files_under(folder: Traversable, path: str = "") -> dict[str, Traversable]:
    """The files in it and its folders, by their relative paths."""
    found: dict[str, Traversable] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _files_under(entry, f"{path}{entry.name}/")
        else:
            found[path + entry.name] = entry
    return found
