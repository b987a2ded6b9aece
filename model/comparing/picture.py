"""A comparison as a picture: the scores of both versions, and how often they differ by how much (SVG)."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from model.comparing.scores import Differences

SIDE, MARGIN = 360, 60
MAX_POINTS = 2_000
BARS = 31
BLUE, GREY = "#2b6cb0", "#a0a0a0"


def draw(differences: Differences, old: str, new: str, unit: str) -> str:
    """Return the text of an SVG file; at most MAX_POINTS rows are drawn, with the largest differences."""
    height, width = SIDE + 2 * MARGIN, 2 * SIDE + 3 * MARGIN
    in_unit = f" ({unit})" if unit else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *_panel(MARGIN, f"{len(differences.rows)} rows", f"{old}{in_unit}", f"{new}{in_unit}"),
        *_points(differences),
        *_panel(SIDE + 2 * MARGIN, "differences", f"{new} minus {old}{in_unit}", "rows"),
        *_bars(differences.values),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(left: float, title: str, below: str, beside: str) -> Iterator[str]:
    middle, bottom = left + SIDE / 2, MARGIN + SIDE
    yield f'<rect x="{left}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{GREY}"/>'
    yield _label(middle, MARGIN - 12, title)
    yield _label(middle, bottom + 40, below)
    turned = f'transform="rotate(-90 {left - 46} {MARGIN + SIDE / 2})"'
    yield _label(left - 46, MARGIN + SIDE / 2, beside, turned)


def _points(differences: Differences) -> Iterator[str]:
    """One point for each row; rows on the diagonal have equal scores."""
    spaced = np.linspace(0, len(differences.rows) - 1, MAX_POINTS).astype(int)
    chosen = np.unique([*spaced, *differences.largest(MAX_POINTS // 10)])
    old, new = differences.old[chosen], differences.new[chosen]
    low, high = float(min(old.min(), new.min())), float(max(old.max(), new.max()))
    bottom = MARGIN + SIDE
    yield (
        f'<line x1="{MARGIN}" y1="{bottom}" x2="{MARGIN + SIDE}" y2="{MARGIN}" stroke="{GREY}" '
        'stroke-dasharray="4"/>'
    )
    for x, y in zip(_scaled(old, low, high), _scaled(new, low, high), strict=True):
        yield f'<circle cx="{MARGIN + x:.1f}" cy="{bottom - y:.1f}" r="2" fill="{BLUE}" fill-opacity="0.5"/>'
    yield from _ends(MARGIN, low, high)
    yield _label(MARGIN - 6, bottom, f"{low:.4g}", 'text-anchor="end"')
    yield _label(MARGIN - 6, MARGIN + 10, f"{high:.4g}", 'text-anchor="end"')


def _bars(values: NDArray[np.float64]) -> Iterator[str]:
    counts, edges = np.histogram(values, BARS)
    left, bottom, width = SIDE + 2 * MARGIN, MARGIN + SIDE, SIDE / BARS
    for number, count in enumerate(counts):
        height = SIDE * count / counts.max()
        yield (
            f'<rect x="{left + number * width:.1f}" y="{bottom - height:.1f}" width="{width - 1:.1f}" '
            f'height="{height:.1f}" fill="{BLUE}"/>'
        )
    yield from _ends(left, float(edges[0]), float(edges[-1]))
    yield _label(left - 6, MARGIN + 10, str(counts.max()), 'text-anchor="end"')


def _ends(left: float, low: float, high: float) -> Iterator[str]:
    yield _label(left, MARGIN + SIDE + 18, f"{low:.4g}")
    yield _label(left + SIDE, MARGIN + SIDE + 18, f"{high:.4g}")


def _scaled(values: NDArray[np.float64], low: float, high: float) -> Sequence[float]:
    span = high - low or 1
    scaled: list[float] = (SIDE * (values - low) / span).tolist()
    return scaled


def _label(x: float, y: float, text: str, attributes: str = "") -> str:
    anchor = "" if "text-anchor" in attributes else 'text-anchor="middle" '
    return f'<text x="{x}" y="{y}" {anchor}{attributes}>{escape(text)}</text>'
