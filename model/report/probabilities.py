"""What the probabilities of classes are worth: their calibration, and the confusion of classes."""

from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from model.evaluation.evaluate import Evaluation
from model.evaluation.metrics import Floats
from model.report import charts
from model.report.bin_tables import RELIABLE, bins_table
from model.report.binning import calibration_bins, calibration_error, confusion
from model.report.markup import Content, element
from model.report.parts import figure, table
from model.report.writing import NOTHING, name, percent

MOST_CLASSES, MOST_CALIBRATED = 12, 4
CONFUSED = (
    "Rows by their true class (down) and the predicted one (across); correct predictions are shaded. Recall "
    "is the share of a true class that was predicted, precision the share of a predicted class that is true."
)


def probability_figures(evaluation: Evaluation) -> list[Element]:
    """Show the calibration of the probabilities, and which classes are mistaken for which."""
    probabilities, classes = evaluation.predictions.scores, evaluation.classes
    numbers = evaluation.labels.astype(np.int64)
    order = np.argsort(-np.bincount(numbers, minlength=len(classes)), kind="stable")[:MOST_CALIBRATED]
    calibrated = [1] if len(classes) == 2 else order.tolist()
    made = [_calibration(classes[each], probabilities[:, each], numbers == each) for each in calibrated]
    first = calibrated[0]
    made.append(_probabilities(classes[first], probabilities[:, first], numbers == first))
    if len(classes) <= MOST_CLASSES:
        made.append(_confusion(evaluation, probabilities))
    return made


def _calibration(of: str, probabilities: Floats, is_class: NDArray[np.bool_]) -> Element:
    bins = calibration_bins(probabilities, is_class)
    return figure(
        f"Calibration of {name(of)}",
        charts.calibration(
            f"share of {of} found over its predicted probability",
            [(each.predicted, each.found) for each in bins],
            "predicted probability",
            "share found",
        ),
        f"On average the probability is {percent(calibration_error(bins))} off; on the dashed line it is "
        f"right. {RELIABLE}.",
        bins_table(bins, "mean probability", "found"),
    )


def _probabilities(of: str, probabilities: Floats, is_class: NDArray[np.bool_]) -> Element:
    edges = np.linspace(0, 1, 21)
    counts = [np.histogram(probabilities[each], edges)[0].tolist() for each in (is_class, ~is_class)]
    rows = [
        [f"{percent(low)} to {percent(high)}", f"{yes:,}", f"{no:,}"]
        for low, high, yes, no in zip(edges[:-1], edges[1:], *counts, strict=True)
    ]
    return figure(
        f"Probabilities of {name(of)}",
        charts.mirrored(
            f"how often each probability of {of} is predicted",
            edges,
            counts,
            "predicted probability",
            (f"rows that are {name(of)}", "other rows"),
        ),
        "Upward are the rows of the class, downward the others. The farther apart, the better.",
        table(["probability", "of the class", "others"], rows),
    )


def _confusion(evaluation: Evaluation, probabilities: Floats) -> Element:
    counts = confusion(
        evaluation.labels.astype(np.int64), probabilities.argmax(axis=1), len(evaluation.classes)
    )
    rows: list[list[Content]] = []
    for true, each in enumerate(evaluation.classes):
        of_class = counts[true].sum()
        cells: list[Content] = [
            element("td", f"{rows_in:,}", class_="figure right" if predicted == true else "figure")
            for predicted, rows_in in enumerate(counts[true].tolist())
        ]
        recall = percent(counts[true, true] / of_class) if of_class else NOTHING
        rows.append([name(each), *cells, recall])
    predicted_all = counts.sum(axis=0)
    precision = [percent(counts[at, at] / size) if size else NOTHING for at, size in enumerate(predicted_all)]
    rows.append(["precision", *precision, ""])
    heads = ["true class", *(name(each) for each in evaluation.classes), "recall"]
    return element(
        "figure",
        element("h3", "Confusion matrix"),
        table(heads, rows, CONFUSED),
    )
