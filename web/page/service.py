"""Service: what waits, who works and, for operators, all owners and what was given up."""

from typing import Any

from jobs.dead.resource import PATH as LETTERS
from web.app import JsonResponse
from web.own_api import Api, Refused, segment
from web.page.pages import PageRoutes, page
from web.page.requests import read_form
from web.requests import ApiRequest

MOST_LETTERS = 50


class ServicePages(PageRoutes):
    @page("GET", "/service")
    def show(self, request: ApiRequest) -> JsonResponse:
        api = self.pages.api(request)
        letters = _if_allowed(api, LETTERS, limit=MOST_LETTERS)
        return self.pages.show(
            request,
            "service",
            capacity=_if_allowed(api, "/v1/capacity"),
            letters=letters and letters["data"],
            owners=_if_allowed(api, "/v1/owners"),
            live=True,
        )

    @page("POST", "/service")
    def act(self, request: ApiRequest) -> JsonResponse:
        sent = read_form(request)
        api, letter = self.pages.api(request), f"{LETTERS}/{segment(sent.get('letter', ''))}"
        if sent.get("action") == "drop":
            api.delete(letter)
        else:
            api.post(f"{letter}/replay")
        return self.pages.lead_to("service")


def _if_allowed(api: Api, path: str, **query: object) -> Any:
    """None if the visitor's key lacks the scope."""
    try:
        return api.get(path, **query)
    except Refused as refused:
        if refused.status == 403:
            return None
        raise
