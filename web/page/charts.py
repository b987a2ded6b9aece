"""Charts as geometry, which templates draw as SVG in a square of 100 by 100. Each has its table beside it.

No library draws them, since they also have to be there without JavaScript.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from web.page.writing import write_number, write_rounded

SIZE = 100.0
MOST_BARS = 12
BINS = 12
_LEAST = 0.6
"""The least length of a bar that is not zero."""


class Bar(NamedTuple):
    """A step from `start` to `start + width`, each a percentage of the whole width."""

    name: str
    value: str
    amount: float
    start: float
    width: float

    @property
    def rises(self) -> bool:
        return self.amount >= 0


class Contributions(NamedTuple):
    base: float
    bars: list[Bar]
    margin: float
    base_at: float
    margin_at: float


def contributions(output: Mapping[str, Any], values: Mapping[str, str]) -> Contributions | None:
    """From the base to the margin: the largest contribution first, small ones together. None without any."""
    given: Mapping[str, Any] = output.get("contributions", {})
    base = output.get("base")
    if not isinstance(base, int | float) or not all(isinstance(one, int | float) for one in given.values()):
        return None
    steps = _largest(given)
    ends = [base]
    for _, amount in steps:
        ends.append(ends[-1] + amount)
    low, high = min(ends), max(ends)
    scale = SIZE / (high - low) if high > low else 0
    bars = [
        Bar(name, values.get(name, ""), amount, *_span(start, amount, low, scale))
        for (name, amount), start in zip(steps, ends, strict=False)
    ]
    return Contributions(base, bars, ends[-1], (base - low) * scale, (ends[-1] - low) * scale)


def _largest(given: Mapping[str, float]) -> list[tuple[str, float]]:
    ordered = sorted(given.items(), key=lambda item: -abs(item[1]))
    rest = ordered[MOST_BARS:]
    if not rest:
        return ordered
    return [*ordered[:MOST_BARS], (f"{len(rest)} others", sum(amount for _, amount in rest))]


def _span(start: float, amount: float, low: float, scale: float) -> tuple[float, float]:
    left = (min(start, start + amount) - low) * scale
    width = max(abs(amount) * scale, _LEAST)
    return round(min(left, SIZE - width), 3), round(width, 3)


class Point(NamedTuple):
    """`x` and `y` are where it is in the chart, from the top left."""

    value: str
    score: float
    x: float
    y: float
    interval: Sequence[float] = ()


class Curve(NamedTuple):
    points: list[Point]
    current: int | None
    """The place of the point that the form shows; None if it shows a missing value."""
    line: str
    band: str
    unseen: list[tuple[float, float]]
    """What is outside the range that training saw: left edge and width."""
    x_labels: list[str]
    y_labels: list[str]

    @property
    def data(self) -> list[list[Any]]:
        """What dragging needs."""
        return [[point.x, point.y, point.value, write_number(point.score)] for point in self.points]


def curve(
    numbers: Sequence[float],
    values: Sequence[str],
    scored: Sequence[tuple[float, Sequence[float]]],
    current: int | None,
    observed: Mapping[str, float] | None,
) -> Curve:
    """`numbers` are ascending, `values` the same as typed; `scored` has the score and interval of each."""
    low, high = numbers[0], numbers[-1]
    ends = [end for score, interval in scored for end in (score, *interval)]
    bottom, top = _padded(min(ends), max(ends))
    width, height = high - low or 1, top - bottom

    def x_of(number: float) -> float:
        return round((min(max(number, low), high) - low) / width * SIZE, 2)

    def y_of(score: float) -> float:
        return round((top - score) / height * SIZE, 2)

    points = [
        Point(value, score, x_of(number), y_of(score), interval)
        for number, value, (score, interval) in zip(numbers, values, scored, strict=True)
    ]
    band = [(point.x, y_of(point.interval[1])) for point in points if point.interval]
    band += [(point.x, y_of(point.interval[0])) for point in reversed(points) if point.interval]
    unseen = _outside(x_of(observed["minimum"]), x_of(observed["maximum"])) if observed else []
    middle = write_rounded((low + high) / 2, 4)
    labels = [write_rounded(top, 4), write_rounded((top + bottom) / 2, 4), write_rounded(bottom, 4)]
    line = _path((point.x, point.y) for point in points)
    return Curve(
        points,
        current,
        line,
        _path(band),
        unseen,
        [write_rounded(low, 4), middle, write_rounded(high, 4)],
        labels,
    )


def _padded(low: float, high: float) -> tuple[float, float]:
    """With room above and below, but none below zero for what is never negative, such as a probability."""
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return (max(low - margin, 0.0) if low >= 0 else low - margin), high + margin


def _outside(left: float, right: float) -> list[tuple[float, float]]:
    return [(start, round(width, 2)) for start, width in ((0, left), (right, SIZE - right)) if width > 0]


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


class HistogramBin(NamedTuple):
    """`short` is the label for the axis."""

    label: str
    short: str
    rows: int
    x: float
    width: float
    height: float


Counted = tuple[str, str, int]
"""Label, short label, and how many rows."""


def distribution(scores: Sequence[float | str]) -> list[HistogramBin]:
    """How often each score is there: each by itself if they are few, or else by ranges of equal width."""
    numbers = [score for score in scores if isinstance(score, float)]
    if len(numbers) < len(scores):
        return _bins(_by_text(list(map(_text, scores))))
    return _bins(_by_number(numbers) if len(set(numbers)) <= BINS else _by_range(numbers))


def _text(score: float | str) -> str:
    return score if isinstance(score, str) else write_number(score)


def _by_text(texts: Sequence[str]) -> list[Counted]:
    """The most frequent ones, and all others together."""
    counts = Counter(texts).most_common()
    others = sum(count for _, count in counts[BINS:])
    shown = [(text, text, count) for text, count in counts[:BINS]]
    return shown + ([(f"{len(counts) - BINS} others", "others", others)] if others else [])


def _by_number(numbers: Sequence[float]) -> list[Counted]:
    counts = sorted(Counter(numbers).items())
    return [(write_number(number), write_rounded(number, 3), count) for number, count in counts]


def _by_range(numbers: Sequence[float]) -> list[Counted]:
    low, high = min(numbers), max(numbers)
    width = (high - low) / BINS
    counts = Counter(min(int((number - low) / width), BINS - 1) for number in numbers)
    edges = [write_rounded(low + width * i, 4) for i in range(BINS + 1)]
    return [(f"{edges[i]} to {edges[i + 1]}", edges[i], counts[i]) for i in range(BINS)]


def _bins(counted: Sequence[Counted]) -> list[HistogramBin]:
    each = SIZE / max(len(counted), 1)
    most = max((count for _, _, count in counted), default=1)
    return [
        HistogramBin(*one, round(each * (i + 0.06), 2), round(each * 0.88, 2), round(one[2] / most * SIZE, 2))
        for i, one in enumerate(counted)
    ]
