"""/openapi.json, and /docs with its files. They are public."""

from web.app import JsonResponse
from web.openapi.docs_page import FILES, PAGE, POLICY
from web.openapi.document import Document
from web.openapi.operation import HTML, Operation, ResponseSchema
from web.openapi.parameters import FILE
from web.problems import Problem
from web.requests import ApiRequest
from web.routing import route

CACHE_FILES = "public, max-age=3600"


class DocumentRoutes:
    def __init__(self, document: Document) -> None:
        self._document = document

    @route(
        "GET",
        "/openapi.json",
        Operation(
            "openapi",
            "service",
            "This document, with the rows of the current models",
            {200: ResponseSchema("OpenAPI 3.1", {"type": "object", "required": ["openapi"]})},
        ),
    )
    def openapi(self, request: ApiRequest) -> JsonResponse:
        return JsonResponse(self._document.text())

    @route(
        "GET",
        "/docs",
        Operation(
            "docs",
            "service",
            "This document as a page, on which each operation can be tried",
            {200: ResponseSchema("The page", {"type": "string"}, HTML, always=("Content-Security-Policy",))},
        ),
    )
    def docs(self, request: ApiRequest) -> JsonResponse:
        headers = {"Content-Security-Policy": POLICY}
        return JsonResponse(PAGE.resource.read_bytes(), headers=headers, mimetype=PAGE.media_type)

    @route(
        "GET",
        "/docs/<file>",
        Operation(
            "docsFile",
            "service",
            "A file of the page",
            {200: ResponseSchema("The file", {"type": "string"}, "*/*", always=("Cache-Control",))},
            (404,),
            parameters=(FILE,),
        ),
    )
    def docs_file(self, request: ApiRequest, file: str) -> JsonResponse:
        if file not in FILES:
            raise Problem(404, "the page has no such file; /docs names those that it has")
        resource, media_type = FILES[file]
        headers = {"Cache-Control": CACHE_FILES}
        return JsonResponse(resource.read_bytes(), headers=headers, mimetype=media_type)
