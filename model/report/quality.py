"""How good a model is: its metrics beside baselines, a verdict, and the pictures of what is wrong."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from model.measuring.judged import Judged
from model.measuring.measures import HIGHER_IS_BETTER, WITHOUT_ORDER
from model.report import charts
from model.report.bin_tables import RELIABLE
from model.report.chances import chance_figures
from model.report.errors import error_figures
from model.report.markup import Content, element
from model.report.parts import figure, figures, section, table
from model.report.subject import MODEL, Contest, Subject, contest
from model.report.writing import NOTHING, between, count, interval, name, number, percent

BELIEVED = "A chance can be believed if of the rows that get 70%, about 70 in 100 are of the class."


def contest_of(subject: Subject, judged: Judged) -> Contest:
    """Return the model beside its baselines."""
    return contest({MODEL: judged, **subject.others, **judged.constants()})


def verdict(found: Contest) -> str:
    """Say in a sentence whether the model beats the best of its baselines."""
    metric = found.judged[0].deciding
    values = {name: found.resampled.interval(found.position(name, metric)) for name in found.names}
    best = min((name for name in found.names if name != MODEL), key=lambda name: values[name].value)
    mine = values[MODEL]
    gap = found.resampled.difference(found.position(MODEL, metric), found.position(best, metric))
    said = f"its {metric} is {interval(mine)}, against {number(values[best].value)} for {best}"
    if gap.high < 0:
        share = -gap.value / values[best].value if values[best].value else np.nan
        return f"The model beats every baseline: {said}, {percent(share)} less."
    if gap.low > 0:
        return f"The model is worse than {best}: {said}."
    return f"The model is not shown to beat {best}: {said}, and the rows are too few to tell them apart."


def metrics_section(found: Contest, heading: str, how: str) -> Element:
    """Show all metrics with their intervals, and the one that decides as a picture."""
    rows = [
        [metric, *(_metric_cell(found, each, metric) for each in found.names)] for metric in found.metrics
    ]
    metric = found.judged[0].deciding
    values = [found.resampled.interval(found.position(each, metric)) for each in found.names]
    named = [
        charts.Named(each, value.value, value.low, value.high, interval(value))
        for each, value in zip(found.names, values, strict=True)
    ]
    picture = figure(
        metric,
        charts.dots(f"{metric} of the model and its baselines", named, f"{metric}: lower is better"),
        f"{RELIABLE}.",
        table(
            ["predicted by", metric, "95% interval"],
            [[each.name, number(each.value), f"{number(each.low)} to {number(each.high)}"] for each in named],
        ),
        alone=True,
    )
    about = f"{how} Under each value is its 95% interval, found by drawing the rows again (bootstrap)."
    return section(heading, about, table(["metric", *found.names], rows, "Metrics"), picture)


def _metric_cell(found: Contest, name: str, metric: str) -> Content:
    value = found.resampled.interval(found.position(name, metric))
    if np.isnan(value.value):
        return NOTHING
    values = [found.resampled.interval(found.position(each, metric)).value for each in found.names]
    best = (np.nanmax if metric in HIGHER_IS_BETTER else np.nanmin)(values)
    is_best = metric not in WITHOUT_ORDER and value.value == best
    classes = "figure best" if is_best else "figure"
    return element(
        "td", number(value.value), element("span", between(value), class_="between"), class_=classes
    )


def judged_figures(judged: Judged, unit: str, quantiles: tuple[float, ...]) -> list[Element]:
    """Show where predictions are wrong: those of numbers, or the chances of classes."""
    return chance_figures(judged) if judged.classes else error_figures(judged, unit, quantiles)


def quality_sections(subject: Subject, judged: Judged, found: Contest) -> Iterator[Element]:
    """Show how good the model is at one target."""
    of = f" of {name(judged.target)}" if len(subject.judged) > 1 else ""
    rows = count(len(judged.labels))
    how = (
        f"On {rows}, each scored by trees that had not seen it."
        if subject.held_out
        else f"On the {rows} of {subject.table.file} that can be scored and have {name(judged.target)!r}."
    )
    yield metrics_section(found, f"How good it is{of}", how)
    quantiles = tuple(subject.manifest.quantiles)
    made = figures(judged_figures(judged, subject.manifest.unit, quantiles))
    yield section(f"Where it errs{of}", BELIEVED if judged.classes else "", made)
