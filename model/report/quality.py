"""How good a model is: its metrics beside baselines, and the pictures of its errors."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from model.measuring.judged import Judged
from model.measuring.measures import HIGHER_IS_BETTER, WITHOUT_ORDER, Floats, pinball_losses
from model.measuring.resampling import Interval, wilson
from model.report import charts
from model.report.binning import (
    CalibrationBin,
    calibration_bins,
    calibration_error,
    confusion,
    covered,
    error_groups,
    histogram,
)
from model.report.markup import Content, element
from model.report.parts import figure, figures, section, table
from model.report.subject import MODEL, Contest, Subject, contest
from model.report.writing import NOTHING, between, count, interval, name, number, percent

MOST_CLASSES, MOST_CALIBRATED = 12, 4
CONFUSED = (
    "Rows by their true class (down) and their most likely one (across); those that are right are shaded. "
    "Found is the share of a true class that is found, right the share of a predicted class that is right."
)
BELIEVED = "A chance can be believed if of the rows that get 70%, about 70 in 100 are of the class."
RELIABLE = "The line through each dot says where the value lies with 95% confidence"


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
            ["", metric, "95% interval"],
            [[each.name, number(each.value), f"{number(each.low)} to {number(each.high)}"] for each in named],
        ),
        alone=True,
    )
    about = f"{how} Under each value is its 95% interval, found by drawing the rows again (bootstrap)."
    return section(heading, about, table(["", *found.names], rows, "Metrics"), picture)


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
    return _class_figures(judged) if judged.classes else _error_figures(judged, unit, quantiles)


def _error_figures(judged: Judged, unit: str, quantiles: tuple[float, ...]) -> list[Element]:
    labels, numbers = judged.labels, judged.predictions.scores
    groups = error_groups(numbers, labels)
    rows = [
        [number(group.predicted), f"{group.rows:,}", number(group.true), *map(number, group.spread.quantiles)]
        for group in groups
    ]
    heads = ["mean prediction", "rows", "mean truth", "10% of errors are below", "25%", "50%", "75%", "90%"]
    target = name(judged.target)
    in_unit = f" in {unit}" if unit else ""
    edges, counts = histogram(labels - numbers)
    made = [
        figure(
            "Predicted and true",
            charts.squares(
                "true values over predicted ones", numbers, labels, f"predicted{in_unit}", f"true {target}"
            ),
            "The area of a square is the number of rows. On the dashed line the prediction is right.",
            table(heads[:3], [row[:3] for row in rows], "Rows in groups by their prediction"),
        ),
        figure(
            "Errors over predictions",
            charts.boxes(
                "errors in groups of rows by their prediction",
                [group.spread for group in groups],
                f"predicted{in_unit}",
                "true minus predicted",
            ),
            "A box holds the middle half of the errors, its line 80%. A box off the dashed line is a bias.",
            table(heads, rows, "Errors in groups by prediction"),
        ),
        figure(
            "How often an error occurs",
            charts.columns("histogram of the errors", edges, counts, f"true minus predicted{in_unit}"),
            "An error is the truth minus the prediction. The outer columns hold what is farther away, too.",
            histogram_table(edges, counts, "error"),
        ),
    ]
    if judged.predictions.interval is not None:
        made.append(_coverage(judged, judged.predictions.interval, quantiles, in_unit))
    return made


def _coverage(judged: Judged, held: Floats, quantiles: tuple[float, ...], in_unit: str) -> Element:
    """Show how often the interval holds the truth."""
    numbers = judged.predictions.scores
    low, high = held.T
    within = (judged.labels >= low) & (judged.labels <= high)
    wanted = max(quantiles) - min(quantiles)
    overall = wilson(int(within.sum()), len(within))
    bins = covered(numbers, within)
    said = _coverage_verdict(overall, wanted)
    return figure(
        "Coverage of the interval",
        charts.shares(
            "share of rows within the interval",
            [(each.predicted, each.found) for each in bins],
            wanted,
            f"predicted{in_unit}",
        ),
        f"{said} The dashed line is what it should hold. {RELIABLE}.",
        element(
            "div",
            _bins_table(bins, "mean prediction", "within the interval"),
            _quantile_table(judged, held, quantiles),
        ),
    )


def _coverage_verdict(found: Interval, wanted: float) -> str:
    sure = f"{percent(found.low)} to {percent(found.high)}"
    said = (
        f"The interval holds {percent(found.value)} of the rows ({sure}), and should hold {percent(wanted)}"
    )
    if found.high < wanted:
        return f"{said}: it is too narrow."
    return f"{said}: it is too wide." if found.low > wanted else f"{said}: that is as it should be."


def _quantile_table(judged: Judged, held: Floats, quantiles: tuple[float, ...]) -> Element:
    """Show of each quantile how many rows are at or below it."""
    numbers = judged.predictions.scores
    middle = min(quantiles, key=lambda alpha: abs(alpha - 0.5))
    values = {min(quantiles): held[:, 0], middle: numbers, max(quantiles): held[:, 1]}
    rows = [
        [
            percent(alpha),
            percent(float((judged.labels <= predicted).mean())),
            number(float(pinball_losses(judged.labels, predicted, alpha).mean())),
        ]
        for alpha, predicted in values.items()
    ]
    return table(["quantile", "rows at or below it", "pinball loss"], rows, "Quantiles")


def _class_figures(judged: Judged) -> list[Element]:
    """Show how far the chances of classes can be believed, and which classes are mistaken for which."""
    chances = judged.predictions.scores
    numbers = judged.labels.astype(np.int64)
    order = np.argsort(-np.bincount(numbers, minlength=len(judged.classes)), kind="stable")[:MOST_CALIBRATED]
    calibrated = [1] if len(judged.classes) == 2 else order.tolist()
    made = [_calibration(judged.classes[each], chances[:, each], numbers == each) for each in calibrated]
    made += [_chances(judged.classes[each], chances[:, each], numbers == each) for each in calibrated[:1]]
    if len(judged.classes) <= MOST_CLASSES:
        made.append(_confusion(judged, chances))
    return made


def _calibration(of: str, chances: Floats, is_class: NDArray[np.bool_]) -> Element:
    bins = calibration_bins(chances, is_class)
    return figure(
        f"Calibration of {name(of)}",
        charts.calibration(
            f"share of {of} found over its predicted chance",
            [(each.predicted, each.found) for each in bins],
            "predicted chance",
            "share found",
        ),
        f"On average the chance is {percent(calibration_error(bins))} off; on the dashed line it is right. "
        f"{RELIABLE}.",
        _bins_table(bins, "mean chance", "found"),
    )


def _chances(of: str, chances: Floats, is_class: NDArray[np.bool_]) -> Element:
    edges = np.linspace(0, 1, 21)
    counts = [np.histogram(chances[each], edges)[0].tolist() for each in (is_class, ~is_class)]
    rows = [
        [f"{percent(low)} to {percent(high)}", f"{yes:,}", f"{no:,}"]
        for low, high, yes, no in zip(edges[:-1], edges[1:], *counts, strict=True)
    ]
    return figure(
        f"Chances of {name(of)}",
        charts.mirrored(
            f"how often each chance of {of} is predicted",
            edges,
            counts,
            "predicted chance",
            (f"rows that are {name(of)}", "other rows"),
        ),
        "Upward are the rows of the class, downward the others. The farther apart, the better.",
        table(["chance", "of the class", "others"], rows),
    )


def _confusion(judged: Judged, chances: Floats) -> Element:
    counts = confusion(judged.labels.astype(np.int64), chances.argmax(axis=1), len(judged.classes))
    rows: list[list[Content]] = []
    for true, each in enumerate(judged.classes):
        of_class = counts[true].sum()
        cells: list[Content] = [
            element("td", f"{rows_in:,}", class_="figure right" if predicted == true else "figure")
            for predicted, rows_in in enumerate(counts[true].tolist())
        ]
        recall = percent(counts[true, true] / of_class) if of_class else NOTHING
        rows.append([name(each), *cells, recall])
    predicted_all = counts.sum(axis=0)
    precision = [percent(counts[at, at] / size) if size else NOTHING for at, size in enumerate(predicted_all)]
    rows.append(["right", *precision, ""])
    heads = ["true class", *(name(each) for each in judged.classes), "found"]
    return element(
        "figure",
        element("h3", "Which class is taken for which"),
        table(heads, rows, CONFUSED),
    )


def _bins_table(bins: list[CalibrationBin], first: str, found: str) -> Element:
    rows = [
        [
            number(each.predicted),
            f"{each.rows:,}",
            percent(each.found.value),
            f"{percent(each.found.low)} to {percent(each.found.high)}",
        ]
        for each in bins
    ]
    return table([first, "rows", found, "95% interval"], rows, "Rows in groups")


def histogram_table(edges: Floats, counts: list[int], first: str) -> Element:
    """Return what is behind a histogram."""
    rows = [
        [f"{number(low)} to {number(high)}", f"{rows:,}"]
        for low, high, rows in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return table([first, "rows"], rows)


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
