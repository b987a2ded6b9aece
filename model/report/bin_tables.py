"""The tables behind pictures of rows in groups."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from model.evaluation.metrics import Floats
from model.report.binning import CalibrationBin
from model.report.parts import table
from model.report.writing import number, percent

RELIABLE = "The line through each dot says where the value lies with 95% confidence"


def bins_table(bins: Sequence[CalibrationBin], first: str, found: str) -> Element:
    """Return what is behind shares of groups of rows."""
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
