"""Pictures of numbers, as SVG. Each can be read without colour: by place, shape, dashes and words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias
from xml.etree.ElementTree import Element

import numpy as np

from model.evaluation.metrics import Floats
from model.evaluation.resampling import Interval
from model.report.axes import (
    RIGHT,
    WIDTH,
    Axis,
    across,
    frame,
    padded,
    path,
    shortened,
    svg,
    text,
    titled,
    upward,
)
from model.report.markup import element
from model.report.writing import between, number, percent

LINE = 26
"""Pixels from one line of a chart with names to the next."""
NAMES = 168
"""Pixels for the names."""


class Named(NamedTuple):
    """A line of a chart with names: a value, its interval where there is one, and the words for both."""

    name: str
    value: float
    low: float
    high: float
    words: str


DrawMark: TypeAlias = Callable[[Named, Axis, float], list[Element]]
"""Draws a value in its line, at a height."""


class Spread(NamedTuple):
    """How values spread at one place of the axis: five quantiles, from low to high."""

    x: float
    quantiles: Sequence[float]


def histogram(label: str, edges: Floats, counts: Sequence[float], x_label: str) -> Element:
    """Draw how often values occur between each two edges."""
    x, y = across(edges[0], edges[-1]), upward(0, max(counts) * 1.05)
    marks = [
        titled(
            element(
                "rect",
                x=x(left) + 0.5,
                y=y(count),
                width=max(x(right) - x(left) - 1, 0.5),
                height=y.start - y(count),
                class_="column",
            ),
            f"{number(left)} to {number(right)}: {count:,.0f}",
        )
        for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return svg(label, *frame(x, y, x_label, "rows"), *marks)


def mirrored(
    label: str, edges: Floats, counts: Sequence[Sequence[int]], x_label: str, names: tuple[str, str]
) -> Element:
    """Draw two histograms: one upward, the other downward, each in shares of its own rows."""
    up, down = (np.array(each) / max(sum(each), 1) for each in counts)
    x, y = across(edges[0], edges[-1]), upward(-max(down) * 1.2 - 0.01, max(up) * 1.2 + 0.01)
    marks = []
    for left, right, high, low in zip(edges[:-1], edges[1:], up, down, strict=True):
        for share, kind in ((high, "column"), (-low, "box")):
            top = min(y(0), y(share))
            width, height = x(right) - x(left) - 1, abs(y(share) - y(0))
            marks.append(element("rect", x=x(left) + 0.5, y=top, width=width, height=height, class_=kind))
    marks.append(element("line", x1=x.start, x2=x.end, y1=y(0), y2=y(0), class_="axis"))
    marks.append(text(shortened(names[0], 50), x.end - 4, y.end + 12, "end", "label"))
    marks.append(text(shortened(names[1], 50), x.end - 4, y.start - 6, "end", "label"))
    return svg(label, *_frame_of_shares(x, y, x_label), *marks)


def _frame_of_shares(x: Axis, y: Axis, x_label: str) -> Iterator[Element]:
    """Draw a frame whose upward axis has shares in both directions."""
    for tick in y.ticks():
        yield element("line", x1=x.start, x2=x.end, y1=y(tick), y2=y(tick), class_="grid")
        yield text(f"{abs(tick):.0%}", x.start - 6, y(tick) + 4, "end", "tick")
    yield from frame(x, Axis(0, 0, y.start, y.end), x_label, "share of the rows", y_ticks=False)


def squares(label: str, across_: Floats, upward_: Floats, x_label: str, y_label: str) -> Element:
    """Draw where pairs of values are, by squares whose area is the number of rows."""
    low, high = padded(min(across_.min(), upward_.min()), max(across_.max(), upward_.max()), 0.02)
    x, y = across(low, high), upward(low, high)
    cells = 26, 16
    counts, x_edges, y_edges = np.histogram2d(across_, upward_, cells, [[x.low, x.high], [y.low, y.high]])
    most, room = counts.max(), min((x.end - x.start) / cells[0], (y.start - y.end) / cells[1])
    marks = [path([(x(x.low), y(y.low)), (x(x.high), y(y.high))], "ideal")]
    for column, row in np.argwhere(counts):
        side = max(room * float(np.sqrt(counts[column, row] / most)), 1.6)
        middle = (x_edges[column : column + 2].mean(), y_edges[row : row + 2].mean())
        square = element(
            "rect",
            x=x(middle[0]) - side / 2,
            y=y(middle[1]) - side / 2,
            width=side,
            height=side,
            class_="square",
        )
        said = f"{x_label} about {number(middle[0])}, {y_label} about {number(middle[1])}"
        marks.append(titled(square, f"{said}: {counts[column, row]:,.0f}"))
    return svg(label, *frame(x, y, x_label, y_label), *marks)


def boxes(label: str, spreads: Sequence[Spread], x_label: str, y_label: str) -> Element:
    """Draw a box for the middle half of the values at each place, and a line to the outer quantiles."""
    ends = [end for spread in spreads for end in (spread.quantiles[0], spread.quantiles[-1])]
    y = upward(*padded(min(*ends, 0), max(*ends, 0)))
    x = across(*padded(spreads[0].x, spreads[-1].x, 0.07))
    room = min(26.0, (x.end - x.start) / len(spreads) * 0.6)
    marks = [element("line", x1=x.start, x2=x.end, y1=y(0), y2=y(0), class_="ideal")]
    for spread in spreads:
        at, (lowest, low, middle, high, highest) = x(spread.x), map(y, spread.quantiles)
        left, right = at - room / 2, at + room / 2
        box = element("rect", x=left, y=high, width=room, height=max(low - high, 1.0), class_="box")
        marks += [
            element("line", x1=at, x2=at, y1=lowest, y2=highest, class_="whisker"),
            titled(box, f"at {number(spread.x)}: {', '.join(map(number, spread.quantiles))}"),
            element("line", x1=left, x2=right, y1=middle, y2=middle, class_="median"),
        ]
    return svg(label, *frame(x, y, x_label, y_label), *marks)


def lines(
    label: str,
    values: Floats,
    series: Mapping[str, Floats],
    x_label: str,
    y_label: str,
    marked: Sequence[float] = (),
    write: Callable[[float], str] = number,
    ends: tuple[float, float] | None = None,
) -> Element:
    """Draw lines with a dash of their own and a name at the end; `marked` values are notched on the axis.

    `ends` are those of the upward axis, where other charts have the same.
    """
    together = np.concatenate(list(series.values()))
    low, high = ends or (together.min(), together.max())
    x, y = across(values[0], values[-1]), upward(*padded(low, high, 0.08))
    marks = [
        path([(x(value), y(each)) for value, each in zip(values, line, strict=True)], f"line dash{position}")
        for position, line in enumerate(series.values())
    ]
    marks += [
        element("line", x1=x(value), x2=x(value), y1=y.start, y2=y.start - 7, class_="notch")
        for value in marked
    ]
    if len(series) > 1:
        marks += _line_names(series, x, y)
    return svg(label, *frame(x, y, x_label, y_label, write=write), *marks)


def calibration(label: str, bins: Sequence[tuple[float, Interval]], x_label: str, y_label: str) -> Element:
    """Draw what share came true for each predicted one, with its interval; both are equal on the line."""
    x, y = across(0, 1), upward(0, 1)
    marks = [path([(x(0), y(0)), (x(1), y(1))], "ideal")]
    marks.append(path([(x(share), y(found.value)) for share, found in bins], "line dash0"))
    for share, found in bins:
        at = x(share)
        dot = element("circle", cx=at, cy=y(found.value), r=4, class_="dot")
        marks += [
            element("line", x1=at, x2=at, y1=y(found.low), y2=y(found.high), class_="whisker"),
            titled(dot, f"{percent(share)} predicted, {percent(found.value)} found ({between(found)})"),
        ]
    return svg(label, *frame(x, y, x_label, y_label), *marks)


def shares(label: str, found: Sequence[tuple[float, Interval]], wanted: float, x_label: str) -> Element:
    """Draw a share with its interval at each place, and a line for the share that is wanted."""
    low = min([wanted, *(each.low for _, each in found)])
    x = across(*padded(found[0][0], found[-1][0], 0.07))
    y = upward(max(0.0, low - 0.05), 1)
    marks = [element("line", x1=x.start, x2=x.end, y1=y(wanted), y2=y(wanted), class_="ideal")]
    for value, each in found:
        at = x(value)
        marks += [
            element("line", x1=at, x2=at, y1=y(each.low), y2=y(each.high), class_="whisker"),
            titled(element("circle", cx=at, cy=y(each.value), r=4, class_="dot"), percent(each.value)),
        ]
    return svg(label, *frame(x, y, x_label, "share within the interval"), *marks)


def bars(label: str, named: Sequence[Named], x_label: str) -> Element:
    """Draw a bar from zero for each name, with a line for its interval."""
    ends = [end for each in named for end in (each.low, each.high, each.value)]
    return _named(label, named, padded(min(*ends, 0), max(*ends, 0), 0.02), x_label, _bar)


def dots(
    label: str,
    named: Sequence[Named],
    x_label: str,
    ends: Sequence[float] = (),
) -> Element:
    """Draw a dot for each name, with a line for its interval; the axis reaches as far as `ends`, too."""
    reached = [*ends, *(end for each in named for end in (each.low, each.high, each.value))]
    return _named(label, named, padded(min(reached), max(reached), 0.08), x_label, _dot)


def _named(
    label: str,
    named: Sequence[Named],
    ends: tuple[float, float],
    x_label: str,
    draw: DrawMark,
) -> Element:
    height = LINE * len(named) + 44
    known = across(*ends)
    x = Axis(known.low, known.high, NAMES, WIDTH - RIGHT - 4)
    bottom = height - 40.0
    marks = []
    for tick in x.ticks(4):
        marks.append(element("line", x1=x(tick), x2=x(tick), y1=4, y2=bottom, class_="grid"))
        marks.append(text(number(tick), x(tick), bottom + 16, "middle", "tick"))
    if x.low <= 0 <= x.high:
        marks.append(element("line", x1=x(0), x2=x(0), y1=4, y2=bottom, class_="axis"))
    for position, each in enumerate(named):
        middle = position * LINE + LINE / 2 + 2
        marks.append(text(shortened(each.name, 27), NAMES - 8, middle + 4, "end", "name"))
        marks += draw(each, x, middle)
    marks.append(text(shortened(x_label, 66), WIDTH - RIGHT, height - 6, "end", "name"))
    return svg(label, *marks, height=height)


def _bar(each: Named, x: Axis, middle: float) -> list[Element]:
    left, right = sorted((x(0), x(each.value)))
    bar = element("rect", x=left, y=middle - 7, width=max(right - left, 0.8), height=14, class_="column")
    return [titled(bar, f"{each.name}: {each.words}"), _whisker(each, x, middle)]


def _dot(each: Named, x: Axis, middle: float) -> list[Element]:
    dot = element("circle", cx=x(each.value), cy=middle, r=5, class_="dot")
    return [_whisker(each, x, middle), titled(dot, f"{each.name}: {each.words}")]


def _whisker(each: Named, x: Axis, middle: float) -> Element:
    return element("line", x1=x(each.low), x2=x(each.high), y1=middle, y2=middle, class_="whisker")


def _line_names(series: Mapping[str, Floats], x: Axis, y: Axis) -> Iterator[Element]:
    """Write the names beside the right ends of the lines, none over another."""
    free = y.end - 4.0
    for name, line in sorted(series.items(), key=lambda item: -item[1][-1]):
        free = max(y(line[-1]) - 5, free + 13)
        yield text(shortened(name, 30), x.end - 3, free, "end", "label")
