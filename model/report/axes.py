"""Where values are in a chart: scales, round ticks, and the frame that charts are drawn in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from xml.etree.ElementTree import Element

from model.report.markup import add, element
from model.report.writing import number

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 44
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Axis:
    """Maps the values from `low` to `high` to the pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel; values beyond the ends are drawn at the end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low or 1)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values, at most so many."""
        rough = (self.high - self.low) / most
        if not rough:
            return [self.low]
        power = 10 ** floor(log10(rough))
        step = next(step * power for step in STEPS if step * power >= rough * 0.999)
        return [round(step * each, 12) for each in range(ceil(self.low / step), floor(self.high / step) + 1)]


def across(low: float, high: float) -> Axis:
    """Return the scale of the axis below a chart."""
    return Axis(*_apart(low, high), LEFT, WIDTH - RIGHT)


def upward(low: float, high: float) -> Axis:
    """Return the scale of the axis beside a chart."""
    return Axis(*_apart(low, high), HEIGHT - BOTTOM, TOP)


def padded(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    """Return both ends with some room around them."""
    room = (high - low) * share
    return low - room, high + room


def svg(label: str, *content: Element, height: float = HEIGHT) -> Element:
    """Make a picture; `label` says what it shows to those who do not see it."""
    return element(
        "svg", *content, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=label, class_="chart"
    )


def frame(
    x: Axis,
    y: Axis,
    x_label: str,
    y_label: str,
    y_ticks: bool = True,
    write: Callable[[float], str] = number,
) -> Iterator[Element]:
    """Draw the grid, the ticks and the names of both axes."""
    for tick in y.ticks() if y_ticks else ():
        at = y(tick)
        yield element("line", x1=x.start, x2=x.end, y1=at, y2=at, class_="grid")
        yield text(number(tick), x.start - 6, at + 4, "end", "tick")
    for tick in x.ticks():
        at = x(tick)
        yield element("line", x1=at, x2=at, y1=y.start, y2=y.start + 4, class_="axis")
        yield text(write(tick), at, y.start + 17, "middle", "tick")
    yield element("line", x1=x.start, x2=x.end, y1=y.start, y2=y.start, class_="axis")
    yield text(shortened(x_label, 60), (x.start + x.end) / 2, HEIGHT - 8, "middle", "name")
    beside = text(shortened(y_label, 32), 0, 0, "middle", "name")
    beside.set("transform", f"translate(13 {(y.start + y.end) / 2:.1f}) rotate(-90)")
    yield beside


def text(content: str, x: float, y: float, anchor: str, kind: str) -> Element:
    """Write a text into a picture."""
    return element("text", content, x=x, y=y, text_anchor=anchor, class_=kind)


def path(points: Sequence[tuple[float, float]], kind: str) -> Element:
    """Draw a line through points."""
    drawn = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return element("path", d=drawn, class_=kind)


def titled(mark: Element, title: str) -> Element:
    """Give a mark a text that browsers show beside the pointer."""
    add(mark, [element("title", title)])
    return mark


def shortened(content: str, most: int) -> str:
    """Cut a text that has no room."""
    return content if len(content) <= most else f"{content[: most - 1]}…"


def _apart(low: float, high: float) -> tuple[float, float]:
    if high > low:
        return low, high
    room = abs(low) * 0.1 or 1.0
    return low - room, high + room
