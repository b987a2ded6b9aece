"""How good a model is: its metrics beside baselines, a verdict, and the pictures of what is wrong."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from model.evaluation.evaluate import Evaluation
from model.evaluation.metrics import HIGHER_IS_BETTER, WITHOUT_ORDER
from model.report import charts
from model.report.bin_tables import RELIABLE
from model.report.errors import error_figures
from model.report.markup import Content, element
from model.report.parts import figure, figures, section, table
from model.report.probabilities import probability_figures
from model.report.subject import MODEL, MetricComparison, Subject, compare_metrics
from model.report.writing import NOTHING, between, count, interval, name, number, percent

CALIBRATED = "Probabilities are right if, of 100 rows that get 70%, about 70 are of the class."


def compare_with_baselines(subject: Subject, evaluation: Evaluation) -> MetricComparison:
    """Return the model beside its baselines."""
    return compare_metrics({MODEL: evaluation, **subject.others, **evaluation.constants()})


def verdict(found: MetricComparison) -> str:
    """Say in a sentence whether the model beats the best of its baselines."""
    metric = found.evaluations[0].deciding
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


def metrics_section(found: MetricComparison, heading: str, how: str) -> Element:
    """Show all metrics with their intervals, and the one that decides as a picture."""
    rows = [
        [metric, *(_metric_cell(found, each, metric) for each in found.names)] for metric in found.metrics
    ]
    metric = found.evaluations[0].deciding
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


def _metric_cell(found: MetricComparison, name: str, metric: str) -> Content:
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


def evaluation_figures(evaluation: Evaluation, unit: str, quantiles: tuple[float, ...]) -> list[Element]:
    """Show where predictions are wrong: those of numbers, or the probabilities of classes."""
    return (
        probability_figures(evaluation) if evaluation.classes else error_figures(evaluation, unit, quantiles)
    )


def quality_sections(subject: Subject, evaluation: Evaluation, found: MetricComparison) -> Iterator[Element]:
    """Show how good the model is at one target."""
    of = f" of {name(evaluation.target)}" if len(subject.evaluations) > 1 else ""
    rows = count(len(evaluation.labels))
    how = (
        f"On {rows}, each scored by trees that had not seen it."
        if subject.held_out
        else f"On the {rows} of {subject.table.file} that can be scored and have {name(evaluation.target)!r}."
    )
    yield metrics_section(found, f"How good it is{of}", how)
    quantiles = tuple(subject.manifest.quantiles)
    made = figures(evaluation_figures(evaluation, subject.manifest.unit, quantiles))
    yield section(f"Where it errs{of}", CALIBRATED if evaluation.classes else "", made)
