"""What is answered: JSON, with headers that are already as they should be sent."""

from typing import Any

from flask import Response
from werkzeug.datastructures import Headers


class Answer(Response):
    default_mimetype = "application/json"

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """As they are; Werkzeug would parse Location and write it anew for each answer."""
        return self.headers
