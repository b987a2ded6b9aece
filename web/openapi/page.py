"""The document as a page, of files that this server has; no other host is asked for anything."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class File(NamedTuple):
    place: Traversable
    media_type: str


_OURS = files(__package__) / "files"
_SWAGGER_UI = files("flask_swagger_ui") / "dist"

PAGE = File(_OURS / "docs.html", "text/html")
FILES: Mapping[str, File] = {
    "start.js": File(_OURS / "start.js", "text/javascript"),
    "swagger-ui.css": File(_SWAGGER_UI / "swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": File(_SWAGGER_UI / "swagger-ui-bundle.js", "text/javascript"),
    "favicon-32x32.png": File(_SWAGGER_UI / "favicon-32x32.png", "image/png"),
}
