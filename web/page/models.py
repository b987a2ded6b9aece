"""Models: what each takes and gives, its versions and aliases, and two of them side by side."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from web.app import JsonResponse
from web.own_api import segment
from web.page.fields import fields_of
from web.page.pages import PageRoutes, page
from web.page.predicting import refs_of
from web.page.writing import NOTHING, write_number
from web.requests import ApiRequest

MOST_METRICS = 200


class Compared(NamedTuple):
    name: str
    first: str
    second: str


class ModelPages(PageRoutes):
    @page("GET", "/models")
    def list(self, request: ApiRequest) -> JsonResponse:
        models = self.pages.api(request).get("/v1/models")["data"]
        return self.pages.show(request, "models", models=models, refs=refs_of(models))

    @page("GET", "/model")
    def show(self, request: ApiRequest) -> JsonResponse:
        api = self.pages.api(request)
        model = api.get(f"/v1/models/{segment(request.args.get('name', ''))}")
        return self.pages.show(
            request,
            "model",
            model=model,
            fields=fields_of(model, None),
            metrics=list(metrics_of(model["metrics"])),
            refs=refs_of([model]),
        )

    @page("GET", "/compare")
    def compare(self, request: ApiRequest) -> JsonResponse:
        api = self.pages.api(request)
        first, second = (
            api.get(f"/v1/models/{segment(request.args.get(name, ''))}") for name in ("first", "second")
        )
        return self.pages.show(
            request,
            "compare",
            first=first,
            second=second,
            metrics=compared(dict(metrics_of(first["metrics"])), dict(metrics_of(second["metrics"]))),
            features=compared(_features(first), _features(second)),
            refs=refs_of(api.get("/v1/models")["data"]),
        )


def metrics_of(metrics: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Each with its name; those with a deviation in one line."""
    for name, value in list(metrics.items())[:MOST_METRICS]:
        words = f"{above}{name.replace('_', ' ')}"
        if isinstance(value, dict) and value.keys() == {"mean", "deviation"}:
            yield words, f"{write_number(value['mean'])} ± {write_number(value['deviation'])}"
        elif isinstance(value, dict):
            yield from metrics_of(value, f"{words}: ")
        else:
            yield words, write_number(value) if isinstance(value, int | float) else str(value)


def compared(first: Mapping[str, str], second: Mapping[str, str]) -> Sequence[Compared]:
    names = dict.fromkeys([*first, *second])
    return [Compared(name, first.get(name, NOTHING), second.get(name, NOTHING)) for name in names]


def _features(model: Mapping[str, Any]) -> dict[str, str]:
    return {field.name: ", ".join(filter(None, (field.type, field.hint))) for field in fields_of(model, None)}
