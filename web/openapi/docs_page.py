"""The document as a page. All its files are served from here; the page loads nothing from other hosts."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageFile(NamedTuple):
    resource: Traversable
    media_type: str


_OURS = files(__package__) / "files"
_SWAGGER_UI = files("flask_swagger_ui") / "dist"

PAGE = PageFile(_OURS / "docs.html", "text/html")
FILES: Mapping[str, PageFile] = {
    "start.js": PageFile(_OURS / "start.js", "text/javascript"),
    "swagger-ui.css": PageFile(_SWAGGER_UI / "swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": PageFile(_SWAGGER_UI / "swagger-ui-bundle.js", "text/javascript"),
    "favicon-32x32.png": PageFile(_SWAGGER_UI / "favicon-32x32.png", "image/png"),
}
