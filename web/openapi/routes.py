"""/openapi.json, and /docs with its files, to which / leads. They tell what all may know, and need no key."""

from flask import Blueprint, Response

from model.description.catalog import Catalog
from web.answer import Answer
from web.openapi.document import Document
from web.openapi.page import FILES, PAGE, POLICY
from web.problems import Problem

FILES_KEEP = "public, max-age=3600"


def documents(catalog: Catalog, keyed: bool) -> Blueprint:
    routes = Blueprint("documents", __name__)
    document = Document(catalog, keyed)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return Answer(document.text())

    @routes.get("/")
    def start() -> Response:
        return Answer(status=302, headers={"Location": "/docs"}, mimetype=PAGE.media_type)

    @routes.get("/docs")
    def docs() -> Response:
        headers = {"Content-Security-Policy": POLICY}
        return Answer(PAGE.place.read_bytes(), headers=headers, mimetype=PAGE.media_type)

    @routes.get("/docs/<file>")
    def docs_file(file: str) -> Response:
        if file not in FILES:
            raise Problem(404, "the page has no such file")
        place, media_type = FILES[file]
        return Answer(place.read_bytes(), headers={"Cache-Control": FILES_KEEP}, mimetype=media_type)

    return routes
