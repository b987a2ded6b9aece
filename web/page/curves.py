"""How the prediction moves as one feature does: the rows to score, and the curve of their scores."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, isfinite, log10
from typing import Any, NamedTuple

from model.description.features import NUMERIC
from web.page.charts import Curve, curve
from web.page.fields import Field
from web.page.writing import write_value

STEPS = 50
"""The most steps between the ends of a curve."""
MOST_CHOICES = 50


class CurveValues(NamedTuple):
    """The values that one feature takes, as they are typed, and which of them the form shows, if any."""

    values: list[str]
    current: int | None
    numbers: list[float]
    """The same as numbers; empty if they are choices."""


def can_move(field: Field) -> bool:
    return field.type in NUMERIC or bool(field.choices)


def values_of_curve(field: Field, current: str, examples: Sequence[Mapping[str, Any]]) -> CurveValues | None:
    """None if the current value says nothing about where to move from."""
    if field.type not in NUMERIC:
        values = list(field.choices[:MOST_CHOICES])
        values += [current] if current not in values and (current or field.nullable) else []
        return CurveValues(values, values.index(current), []) if current in values else None
    try:
        here = float(current) if current.strip() else None
    except ValueError:
        return None
    if here is not None and not isfinite(here):
        return None
    numbers = _numbers(field, here, examples)
    at = None if here is None else numbers.index(here)
    return CurveValues([write_value(number) for number in numbers], at, numbers)


def _numbers(field: Field, here: float | None, examples: Sequence[Mapping[str, Any]]) -> list[float]:
    """Round numbers, the ends and the current value."""
    low, high = _range(field, here, examples)
    step = _round_step((high - low) / STEPS)
    if field.type == "integer":
        step = max(ceil(step), 1)
    inner = (float(f"{number * step:.6g}") for number in range(ceil(low / step), floor(high / step) + 1))
    between = {number for number in inner if low < number < high}
    return sorted(between | {low, high} | ({here} if here is not None else set()))


def _round_step(least: float) -> float:
    """The next of 1, 2 and 5, and these times a power of ten."""
    power: float = 10.0 ** floor(log10(least))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= least * 0.999)


def _range(field: Field, here: float | None, examples: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """What training saw, the limits, or what the examples have; and in any case the current value."""
    known = [here] if here is not None else []
    if field.observed:
        known += [field.observed["minimum"], field.observed["maximum"]]
    elif field.minimum is not None and field.maximum is not None:
        known += [field.minimum, field.maximum]
    else:
        seen = (example.get(field.name) for example in examples)
        known += [value for value in seen if isinstance(value, int | float)]
    known = known or [0.0]
    low, high = float(min(known)), float(max(known))
    if low == high:
        room = abs(low) / 2 or 1.0
        low, high = low - room, high + room
    return low, high


def draw_curve(field: Field, tried: CurveValues, outputs: Sequence[Mapping[str, Any]]) -> Curve | None:
    """The curve of the outputs; None if a row could not be scored."""
    label = outputs[tried.current or 0].get("label", "") if outputs else ""
    scores = [measure(output, str(label)) for output in outputs]
    if not scores or any(score is None for score in scores):
        return None
    scored = [
        (float(score or 0), output.get("interval", ())) for score, output in zip(scores, outputs, strict=True)
    ]
    if tried.numbers:
        return curve(tried.numbers, tried.values, scored, tried.current, field.observed)
    places = [float(place) for place in range(len(tried.values))]
    ends = [tried.values[0], tried.values[-1] or "not known"]
    return curve(places, tried.values, scored, tried.current, None)._replace(x_labels=ends)


def measure(output: Mapping[str, Any], label: str) -> float | None:
    """The number of an output that a curve shows: a probability if there is one."""
    if "probabilities" in output:
        found = output["probabilities"].get(label)
    else:
        found = output.get("probability", output.get("prediction"))
    if isinstance(found, dict):
        found = next(iter(found.values()), None)
    return found if isinstance(found, int | float) else None
