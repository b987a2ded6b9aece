"""The files that the page loads. Their version is in their address, so a browser may keep them."""

from web.app import ApiRequest, JsonResponse
from web.page.render import Templates
from web.problems import Problem
from web.routing import route


class PageFileRoutes:
    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    @route("GET", "/page/<version>/<file>", None)
    def show(self, request: ApiRequest, version: str, file: str) -> JsonResponse:
        found = self._templates.files.get(file)
        if found is None or version != self._templates.version:
            raise Problem(404, "the page has no such file in this version; reload the page")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return JsonResponse(found.content, headers=headers, mimetype=found.media_type)
