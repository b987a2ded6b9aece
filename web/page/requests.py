"""What a form of the page sends, and whether a form of this page sent it."""

from urllib.parse import parse_qsl, urlsplit

from web.keys import Owner
from web.problems import Problem
from web.requests import ApiRequest, read_body

VISITOR = Owner("page", ())
"""Holds the body of a form; what the form asks for belongs to the visitor's key."""
MOST_FIELDS = 20_000


def require_same_origin(request: ApiRequest) -> None:
    """Raises Problem (403) for a form that a page of another site sends."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site:  # browsers leave it out where neither TLS nor loopback is
        ours = site in ("same-origin", "none")
    else:
        ours = not origin or urlsplit(origin).netloc == request.headers.get("Host", "")
    if not ours:
        raise Problem(403, "another site sent this form; open the page and send it from there")


def read_form(request: ApiRequest) -> dict[str, str]:
    """The last value of each field. Raises Problem (400, 413), or TooManyBodies."""
    request.owner = VISITOR
    try:
        pairs = parse_qsl(read_body(request).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem(400, "the form cannot be read; open the page and send it again") from None
    return dict(pairs)
