"""Builds the page over the app whose public routes it asks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobs.files.direct import DirectFiles
from web.page.assets import PageFileRoutes
from web.page.jobs import JobPages
from web.page.models import ModelPages
from web.page.pages import Pages
from web.page.predicting import PredictPages
from web.page.render import Templates
from web.page.scoring import ScorePages
from web.page.service import ServicePages

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_GROUPS = (PredictPages, ScorePages, JobPages, ModelPages, ServicePages)
PAGE_CLASSES = (*_GROUPS, PageFileRoutes)
"""The classes whose methods are the pages."""


def build_page(
    app: "WSGIApplication", with_guide: bool, direct: DirectFiles | None, takes_files: bool
) -> Iterator[object]:
    """`direct` is where the page sends long files itself; None where that is not possible."""
    templates = Templates(with_guide)
    pages = Pages(app, templates, direct, takes_files)
    yield from (group(pages) for group in _GROUPS)
    yield PageFileRoutes(templates)
