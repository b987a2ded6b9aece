"""What the chances of classes are worth: their calibration, and which class is taken for which."""

from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from model.measuring.judged import Judged
from model.measuring.measures import Floats
from model.report import charts
from model.report.bin_tables import RELIABLE, bins_table
from model.report.binning import calibration_bins, calibration_error, confusion
from model.report.markup import Content, element
from model.report.parts import figure, table
from model.report.writing import NOTHING, name, percent

MOST_CLASSES, MOST_CALIBRATED = 12, 4
CONFUSED = (
    "Rows by their true class (down) and their most likely one (across); those that are right are shaded. "
    "Found is the share of a true class that is found, right the share of a predicted class that is right."
)


def chance_figures(judged: Judged) -> list[Element]:
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
        bins_table(bins, "mean chance", "found"),
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
