"""Score a file: upload it, check it first, and see what becomes of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jobs.batches.resource import PATH as BATCHES
from model.description.similar import similar_name
from web.app import JsonResponse
from web.own_api import Refused, segment
from web.page.pages import PageRoutes, page
from web.page.predicting import refs_of
from web.requests import ApiRequest

READINGS = [
    (
        "delimiter",
        "Fields are separated by",
        [("comma", ","), ("semicolon", ";"), ("tab", "tab"), ("pipe", "|")],
    ),
    ("decimal", "Decimal sign", [("point", "point: 2.5"), ("comma", "comma: 2,5")]),
    ("encoding", "Encoding", [("utf-8", "UTF-8"), ("windows-1252", "Windows (Western Europe)")]),
]
"""What a visitor may say of a file that cannot be read by looking."""
FORMATS = {"csv": "CSV", "ndjson": "NDJSON", "parquet": "Parquet"}


class Check(NamedTuple):
    """What a dry run found. `near` are pairs of a column that is passed through and the feature it may be."""

    matched: list[str]
    absent: list[str]
    near: list[tuple[str, str]]
    kept: list[str]
    added: list[str]
    rows: int | None
    looked_at: int
    failed: int
    errors: list[dict[str, Any]]
    seconds: float | None


class ScorePages(PageRoutes):
    @page("GET", "/score")
    def start(self, request: ApiRequest) -> JsonResponse:
        return self._show(request, request.args.get("model", ""))

    @page("POST", "/check")
    def check(self, request: ApiRequest) -> JsonResponse:
        """`?start` says that the file is only the start of one, so that its number of rows says nothing."""
        api = self.pages.api(request)
        try:
            found = api.forward(BATCHES, dry_run="true")
        except Refused as refused:
            return self._show(request, refused=refused)
        ref = request.args.get("model", "")
        model = api.get(f"/v1/models/{segment(ref)}") if ref else None
        return self._show(request, ref, check=_check(found, model, "start" in request.args))

    @page("POST", "/score")
    def score(self, request: ApiRequest) -> JsonResponse:
        try:
            job = self.pages.api(request).forward(BATCHES)
        except Refused as refused:
            return self._show(request, refused=refused)
        return self.pages.lead_to(f"job?id={job['id']}")

    def _show(
        self,
        request: ApiRequest,
        ref: str = "",
        check: Check | None = None,
        refused: Refused | None = None,
    ) -> JsonResponse:
        models = self.pages.api(request).get("/v1/models")["data"]
        default = next((model["name"] for model in models if model["default"]), "")
        return self.pages.show(
            request,
            "score",
            refs=refs_of(models),
            ref=ref or default,
            formats=FORMATS,
            readings=READINGS,
            check=check,
            refused=refused,
            direct=self.pages.direct is not None,
            takes_files=self.pages.takes_files,
        )


def _check(found: Mapping[str, Any], model: Mapping[str, Any] | None, only_start: bool) -> Check:
    columns = found["columns"]
    kept = columns["kept"]
    features = [feature["name"] for feature in model["features"]] if model else []
    matched = [name for name in columns["found"] if name not in kept]
    absent = [name for name in features if name not in columns["found"]]
    return Check(
        matched,
        absent,
        list(_near(kept, absent)),
        kept,
        columns["added"],
        None if only_start else found["rows"],
        found["looked_at"],
        found["failed"],
        found["errors"],
        None if only_start else found["estimate_seconds"],
    )


def _near(kept: Sequence[str], absent: Sequence[str]) -> Iterable[tuple[str, str]]:
    for name in kept:
        if feature := similar_name(name, absent):
            yield name, feature
