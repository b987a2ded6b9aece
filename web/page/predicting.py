"""Predict: the form of a model, the answer, and how it moves as one feature does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from jobs.predictions.resource import PATH as PREDICTIONS
from web.app import JsonResponse
from web.own_api import Api, Refused, segment
from web.page.answers import AnswerView, view
from web.page.charts import Curve
from web.page.curves import can_move, draw_curve, values_of_curve
from web.page.fields import Field, fields_of, row_of, with_faults
from web.page.pages import PageRoutes, page
from web.page.requests import read_form
from web.page.writing import seconds_between
from web.requests import ApiRequest

WAIT_SECONDS = 3
CURVE = {"page": "curve"}
"""The metadata of the predictions that curves are made of."""


class CurveView(NamedTuple):
    """`id` is that of its job, empty if there is none; `curve` is None until that has ended."""

    field: Field
    id: str = ""
    curve: Curve | None = None
    fault: str = ""

    @property
    def is_awaited(self) -> bool:
        return bool(self.id) and self.curve is None and not self.fault


class Work(NamedTuple):
    """A row that was posted: its job, the answer if it has ended, and the curve."""

    job: Mapping[str, Any]
    answer: AnswerView | None
    curve: CurveView | None

    @property
    def waited(self) -> float:
        """Seconds since it was posted."""
        return seconds_between(self.job["created_at"], None)

    @property
    def is_awaited(self) -> bool:
        return self.job["finished_at"] is None or (self.curve is not None and self.curve.is_awaited)


class PredictPages(PageRoutes):
    @page("GET", "/")
    def start(self, request: ApiRequest) -> JsonResponse:
        api, models = self._models(request)
        if not models:
            return self.pages.show(request, "no_model")
        default = next((model["name"] for model in models if model["default"]), models[0]["name"])
        ref = request.args.get("model", default)
        model = api.get(f"/v1/models/{segment(ref)}")
        examples = model["examples"]
        number = _whole(request.args.get("example", "0")) % max(len(examples), 1)
        fields = fields_of(model, examples[number] if examples else None)
        return self._show(request, models, model, ref, fields, example=number)

    @page("POST", "/")
    def predict(self, request: ApiRequest) -> JsonResponse:
        sent = read_form(request)
        api, models = self._models(request)
        model = api.get(f"/v1/models/{segment(sent.get('model', ''))}")
        fields = [replace(field, value=sent.get(field.key, "")) for field in fields_of(model, None)]
        ref = sent.get("ref", model["name"])
        example = _whole(sent.get("example", "0"))
        try:
            job = _job(api, model, row_of(fields, sent), sent)
        except Refused as refused:
            faulty = with_faults(fields, refused.errors)
            return self._show(request, models, model, ref, faulty, example=example, refused=refused)
        work = Work(job, None, None)
        if output := job.get("output"):
            values = {field.name: field.value or "missing" for field in fields}
            work = Work(job, view(model, output, values), _curve(api, model, fields, output, sent))
        return self._show(request, models, model, ref, fields, example=example, work=work)

    def _models(self, request: ApiRequest) -> tuple[Api, list[dict[str, Any]]]:
        api = self.pages.api(request)
        return api, api.get("/v1/models")["data"]

    def _show(
        self,
        request: ApiRequest,
        models: Sequence[Mapping[str, Any]],
        model: Mapping[str, Any],
        ref: str,
        fields: Sequence[Field],
        example: int,
        work: Work | None = None,
        refused: Refused | None = None,
    ) -> JsonResponse:
        return self.pages.show(
            request,
            "predict",
            refs=refs_of(models),
            ref=ref,
            model=model,
            fields=fields,
            example=example,
            work=work,
            refused=refused,
            movable=[field for field in fields if can_move(field)],
        )


def refs_of(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a visitor may choose: each model, its aliases and its versions."""
    refs = []
    for model in models:
        name = model["name"]
        refs += [name, *(f"{name}@{alias}" for alias in sorted(model["aliases"]))]
        refs += [f"{name}@{version}" for version in reversed(model["versions"])]
    return refs


def _job(
    api: Api, model: Mapping[str, Any], row: Mapping[str, Any], sent: Mapping[str, str]
) -> dict[str, Any]:
    """The prediction, as it is after a short wait."""
    job_id = sent.get("id")
    if not job_id:
        job_id = _post(api, model, inputs=row, explain=model["explained"])
    return _waited(api, job_id)


def _post(api: Api, model: Mapping[str, Any], **members: Any) -> str:
    ref = f"{model['name']}@{model['version']}"
    job_id: str = api.post(PREDICTIONS, {"model": ref, **members})["id"]
    return job_id


def _waited(api: Api, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = api.get(f"{PREDICTIONS}/{segment(job_id)}", wait=WAIT_SECONDS)
    return job


def _curve(
    api: Api,
    model: Mapping[str, Any],
    fields: Sequence[Field],
    output: Mapping[str, Any],
    sent: Mapping[str, str],
) -> CurveView | None:
    field = _moving(fields, output, sent.get("curve", ""))
    tried = values_of_curve(field, field.value, model["examples"]) if field else None
    if not field or not tried:
        return None
    row = row_of(fields, {each.key: each.value for each in fields})
    job_id = sent.get("curve_id", "") if sent.get("curve_of") == field.key else ""
    try:
        if not job_id:
            rows = [{**row, field.name: value or None} for value in tried.values]
            job_id = _post(api, model, inputs=rows, metadata=CURVE)
        job = _waited(api, job_id)
    except Refused as refused:
        return CurveView(field, fault=refused.detail)
    if job["finished_at"] is None:
        return CurveView(field, job_id)
    found = draw_curve(field, tried, job.get("outputs", []))
    return CurveView(field, job_id, found, "" if found else "these rows could not be scored")


def _moving(fields: Sequence[Field], output: Mapping[str, Any], key: str) -> Field | None:
    """The feature that was chosen, or else the one that adds the most."""
    movable = [field for field in fields if can_move(field)]
    given = output.get("contributions", {})
    weights = {name: abs(value) for name, value in given.items() if isinstance(value, int | float)}
    movable.sort(key=lambda field: (field.key != key, -weights.get(field.name, 0), field.number))
    return movable[0] if movable else None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
