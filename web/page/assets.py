"""The files that the page loads. Their version is in their address, so a browser may keep them."""

from web.app import JsonResponse
from web.page.render import Templates
from web.problems import Problem
from web.requests import ApiRequest
from web.routing import route


class PageFileRoutes:
    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    @route("GET", "/page/<version>/<file>", None)
    def show(self, request: ApiRequest, version: str, file: str) -> JsonResponse:
        """While web is being updated, a process may be asked for the file of another version."""
        found = self._templates.files.get(file)
        if found is None:
            raise Problem(404, "the page has no such file; reload the page")
        keep = version == self._templates.version
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if keep else "no-store"}
        return JsonResponse(found.content, headers=headers, mimetype=found.media_type)
