"""The sections on features: how much each matters, and how the prediction moves as it does."""

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias
from xml.etree.ElementTree import Element

import numpy as np

from model.evaluation.evaluate import Evaluation
from model.report import charts
from model.report.effects import Effect, effect_of
from model.report.importance import SHUFFLES, Importance, importances
from model.report.parts import figure, figures, section, table
from model.report.series import HIGH, LOW
from model.report.subject import Subject
from model.report.writing import NOTHING, name, number, value_of

MOST_BARS, MOST_EFFECTS = 20, 12
Ends: TypeAlias = tuple[float, float]


def importances_of(subject: Subject) -> list[Importance]:
    """Return the features, the most important first."""
    evaluation = only_evaluation(subject)
    matrix = subject.matrix if evaluation is None else subject.matrix[subject.positions(evaluation)]
    return importances(subject.bundle, matrix, evaluation)


def only_evaluation(subject: Subject) -> Evaluation | None:
    """Return the evaluation, if there is one target with labels."""
    return subject.evaluations[0] if len(subject.evaluations) == 1 else None


def importance_section(subject: Subject, found: Sequence[Importance]) -> Element:
    """Show what each feature is worth."""
    about = (
        "The values of one feature are shuffled among the rows, so that they say nothing any more; what the "
        "predictions lose by it is what the feature is worth to this model. Features that say the same share "
        "their worth."
    )
    return section("What matters", about, importance_figure(subject, found, "", alone=True))


def importance_figure(
    subject: Subject, found: Sequence[Importance], heading: str, alone: bool = False
) -> Element:
    """Show what shuffling each feature costs."""
    evaluation = only_evaluation(subject)
    axis = "mean change of the score" if evaluation is None else f"rise of {evaluation.deciding}"
    named = [
        charts.Named(each.feature, each.mean, each.low, each.high, number(each.mean))
        for each in found[:MOST_BARS]
    ]
    rows = [
        [
            name(each.feature),
            number(each.mean),
            f"{number(each.low)} to {number(each.high)}",
            NOTHING if each.contribution is None else number(each.contribution),
        ]
        for each in found
    ]
    heads = ["feature", axis, f"least and most of {SHUFFLES}", "mean size of its contribution (SHAP)"]
    caption = f"The line through a bar is the least and the most of {SHUFFLES} shuffles."
    if len(found) > MOST_BARS:
        caption += f" The {len(found) - MOST_BARS} features that matter least are in the numbers only."
    picture = charts.bars("importance of the features", named, f"{axis} when the feature is shuffled")
    return figure(heading or "Importance", picture, caption, table(heads, rows), alone)


def effects_section(subject: Subject, found: Sequence[Importance]) -> Element | None:
    """Show how the prediction moves with the features that matter most; None if none of them varies."""
    names = list(subject.manifest.schema.names)
    chosen = [names.index(each.feature) for each in found[:MOST_EFFECTS]]
    found_effects = [effect_of(subject.bundle, subject.matrix, position) for position in chosen]
    effects = [each for each in found_effects if each]
    if not effects:
        return None
    together = np.concatenate([line for each in effects for line in each.series.values()])
    ends = float(together.min()), float(together.max())
    made = [_effect_figure(each, subject, ends) for each in effects]
    about = (
        "The mean prediction if all rows had the same value of one feature, and else their own values "
        "(partial dependence), by the bundle itself. All charts have one scale. They prove no cause, and say "
        "little where few rows are."
    )
    return section("How the prediction moves", about, figures(made))


def _effect_figure(effect: Effect, subject: Subject, ends: Ends) -> Element:
    feature, probabilities = effect.feature, next(iter(effect.series)).startswith("probability")
    values = [value_of(feature.type, feature.categories, value) for value in effect.values]
    unit = subject.manifest.unit
    y_label = "probability" if probabilities else f"prediction in {unit}" if unit else "prediction"
    few = np.count_nonzero(~np.isnan(effect.values)) < 2
    draw = _draw_values if effect.by_category or few else _draw_line
    picture, caption = draw(effect, values, y_label, subject, ends)
    rows = [
        [value, f"{count:,}", *(number(line[at]) for line in effect.series.values())]
        for at, (value, count) in enumerate(zip(values, effect.rows.tolist(), strict=True))
    ]
    behind = table([name(feature.name), "rows near it", *effect.series], rows)
    return figure(name(feature.name), picture, caption, behind)


def _draw_values(
    effect: Effect, values: Sequence[str], y_label: str, subject: Subject, ends: Ends
) -> tuple[Element, str]:
    """Draw a dot for each value; the line through it is the interval, if there is one."""
    first, *others = effect.series
    line = effect.series[first]
    low, high = (effect.series.get(end, line) for end in (LOW, HIGH))
    named = [charts.Named(*each, number(each[1])) for each in zip(values, line, low, high, strict=True)]
    label, interval = f"prediction over {effect.feature.name}", LOW in effect.series
    picture = charts.dots(label, named, first if others and not interval else y_label, ends)
    if interval:
        return picture, "The line through a dot is the interval."
    return picture, "The numbers have the other classes or targets, too." if others else ""


def _draw_line(
    effect: Effect, values: Sequence[str], y_label: str, subject: Subject, ends: Ends
) -> tuple[Element, str]:
    feature, missing = effect.feature, np.isnan(effect.values)
    known = {each: line[~missing] for each, line in effect.series.items()}
    picture = charts.lines(
        f"prediction over {feature.name}",
        effect.values[~missing],
        known,
        feature.name,
        y_label,
        _deciles(effect, subject),
        partial(value_of, feature.type, feature.categories),
        ends,
    )
    caption = "The notches part the rows into ten groups of equal size."
    if missing.any():
        lines = ", ".join(f"{number(line[-1])} ({each})" for each, line in effect.series.items())
        caption += f" If it is missing: {lines}."
    return picture, caption


def _deciles(effect: Effect, subject: Subject) -> list[float]:
    position = list(subject.manifest.schema.names).index(effect.feature.name)
    values = subject.columns[position].values
    known = values[~np.isnan(values)]
    return np.quantile(known, np.linspace(0.1, 0.9, 9)).tolist() if known.size else []
