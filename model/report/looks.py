"""What a model looks at: how much each feature matters, and how the prediction moves as it does."""

from collections.abc import Sequence
from functools import partial
from xml.etree.ElementTree import Element

import numpy as np

from model.measuring.judged import Judged
from model.report import charts
from model.report.effects import Effect, effect_of
from model.report.importance import SHUFFLES, Importance, importances
from model.report.parts import figure, figures, section, table
from model.report.subject import Subject
from model.report.writing import NOTHING, name, number, value_of

MOST_BARS, MOST_EFFECTS = 20, 12


def importances_of(subject: Subject) -> list[Importance]:
    """Return the features, the most important first."""
    judged = only_judged(subject)
    matrix = subject.matrix if judged is None else subject.matrix[subject.positions(judged)]
    return importances(subject.bundle, matrix, judged)


def only_judged(subject: Subject) -> Judged | None:
    """Return what is judged by its labels, if that is one target."""
    return subject.judged[0] if len(subject.judged) == 1 else None


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
    judged = only_judged(subject)
    axis = "mean change of the score" if judged is None else f"rise of {judged.deciding}"
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
    effects = [effect_of(subject.bundle, subject.matrix, position) for position in chosen]
    made = [_effect_figure(each, subject) for each in effects if each]
    if not made:
        return None
    about = (
        "The mean prediction if all rows had the same value of one feature, and else their own values "
        "(partial dependence), by the bundle itself. It proves no cause, and says little where few rows are."
    )
    return section("How the prediction moves", about, figures(made))


def _effect_figure(effect: Effect, subject: Subject) -> Element:
    feature = effect.feature
    values = [value_of(feature.type, feature.categories, value) for value in effect.values]
    y_label = f"prediction{f' in {subject.manifest.unit}' if subject.manifest.unit else ''}"
    if any(each.startswith("chance") for each in effect.series):
        y_label = "chance"
    rows = [
        [value, f"{count:,}", *(number(line[at]) for line in effect.series.values())]
        for at, (value, count) in enumerate(zip(values, effect.rows.tolist(), strict=True))
    ]
    heads = [name(feature.name), "rows near it", *effect.series]
    missing = np.isnan(effect.values)
    label = f"prediction over {feature.name}"
    if effect.by_category or len(effect.values) - missing.sum() < 2:
        line = next(iter(effect.series))
        named = [
            charts.Named(value, each, each, each, number(each))
            for value, each in zip(values, effect.series[line], strict=True)
        ]
        picture, caption = charts.dots(label, named, line if line != "prediction" else y_label), ""
        if len(effect.series) > 1:
            caption = f"The dots are of {line}; the others are in the numbers."
    else:
        known = {each: line[~missing] for each, line in effect.series.items()}
        shown, notches = effect.values[~missing], _deciles(effect, subject)
        write = partial(value_of, feature.type, feature.categories)
        picture = charts.lines(label, shown, known, feature.name, y_label, notches, write)
        caption = "The notches on the axis part the rows into ten groups of equal size."
        if missing.any():
            lines = ", ".join(f"{number(line[-1])} ({each})" for each, line in effect.series.items())
            caption += f" If it is missing: {lines}."
    return figure(name(feature.name), picture, caption, table(heads, rows))


def _deciles(effect: Effect, subject: Subject) -> list[float]:
    position = list(subject.manifest.schema.names).index(effect.feature.name)
    values = subject.columns[position].values
    known = values[~np.isnan(values)]
    return np.quantile(known, np.linspace(0.1, 0.9, 9)).tolist() if known.size else []
