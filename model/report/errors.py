"""Where the predictions of numbers are wrong: pictures of their errors, and of what their interval holds."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from model.evaluation.evaluate import Evaluation
from model.evaluation.metrics import Floats, pinball_losses
from model.evaluation.resampling import Interval, wilson
from model.objective import QUANTILE
from model.report import charts
from model.report.bin_tables import RELIABLE, bins_table, histogram_table
from model.report.binning import covered, error_groups, histogram
from model.report.markup import element
from model.report.parts import figure, table
from model.report.writing import name, number, percent


def error_figures(evaluation: Evaluation, unit: str, quantiles: tuple[float, ...]) -> list[Element]:
    """Show where predictions of numbers are wrong, and by how much."""
    in_unit = f" in {unit}" if unit else ""
    made = [*_over_predictions(evaluation, in_unit), _how_often(evaluation, in_unit)]
    if evaluation.predictions.interval is not None and evaluation.objective == QUANTILE:
        made.append(_coverage(evaluation, evaluation.predictions.interval, quantiles, in_unit))
    return made


def _over_predictions(evaluation: Evaluation, in_unit: str) -> Iterator[Element]:
    labels, numbers = evaluation.labels, evaluation.predictions.scores
    groups = error_groups(numbers, labels)
    rows = [
        [number(group.predicted), f"{group.rows:,}", number(group.true), *map(number, group.spread.quantiles)]
        for group in groups
    ]
    heads = ["mean prediction", "rows", "mean truth", "10% of errors are below", "25%", "50%", "75%", "90%"]
    predicted, true = f"predicted{in_unit}", f"true {name(evaluation.target)}"
    yield figure(
        "Predicted and true",
        charts.squares("true values over predicted ones", numbers, labels, predicted, true),
        "The area of a square is the number of rows. On the dashed line the prediction is right.",
        table(heads[:3], [row[:3] for row in rows], "Rows in groups by their prediction"),
    )
    spreads = [group.spread for group in groups]
    yield figure(
        "Errors over predictions",
        charts.boxes("errors in groups of rows by prediction", spreads, predicted, "true minus predicted"),
        "A box holds the middle half of the errors, its line 80%. A box off the dashed line is a bias.",
        table(heads, rows, "Errors in groups by prediction"),
    )


def _how_often(evaluation: Evaluation, in_unit: str) -> Element:
    edges, counts = histogram(evaluation.labels - evaluation.predictions.scores)
    return figure(
        "How often an error occurs",
        charts.histogram("histogram of the errors", edges, counts, f"true minus predicted{in_unit}"),
        "An error is the truth minus the prediction. The outer columns hold what is farther away, too.",
        histogram_table(edges, counts, "error"),
    )


def _coverage(evaluation: Evaluation, held: Floats, quantiles: tuple[float, ...], in_unit: str) -> Element:
    """Show how often the interval holds the truth."""
    numbers = evaluation.predictions.scores
    low, high = held.T
    within = (evaluation.labels >= low) & (evaluation.labels <= high)
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
            bins_table(bins, "mean prediction", "within the interval"),
            _quantile_table(evaluation, held, quantiles),
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


def _quantile_table(evaluation: Evaluation, held: Floats, quantiles: tuple[float, ...]) -> Element:
    """Show of each quantile how many rows are at or below it."""
    numbers = evaluation.predictions.scores
    middle = min(quantiles, key=lambda alpha: abs(alpha - 0.5))
    values = {min(quantiles): held[:, 0], middle: numbers, max(quantiles): held[:, 1]}
    rows = [
        [
            percent(alpha),
            percent(float((evaluation.labels <= predicted).mean())),
            number(float(pinball_losses(evaluation.labels, predicted, alpha).mean())),
        ]
        for alpha, predicted in values.items()
    ]
    return table(["quantile", "rows at or below it", "pinball loss"], rows, "Quantiles")
