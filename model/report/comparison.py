"""The report of two versions on the same rows: a page of HTML, and a plain verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from model.comparing.callers import breaking_changes
from model.comparing.scores import Differences
from model.evaluation.evaluate import Evaluation
from model.evaluation.metrics import HIGHER_IS_BETTER, WITHOUT_ORDER
from model.evaluation.resampling import Interval
from model.report import charts
from model.report.bin_tables import histogram_table
from model.report.binning import groups_of, histogram
from model.report.data import data_section, making_facts, model_facts
from model.report.features import importance_figure, importances_of
from model.report.markup import Content, element
from model.report.parts import facts, figure, figures, named, page, section, table, warning_box
from model.report.quality import evaluation_figures, metrics_section
from model.report.single import FOOTER
from model.report.subject import MetricComparison, Subject, compare_metrics
from model.report.suspicions import suspicions
from model.report.writing import between, count, name, number


@dataclass(frozen=True)
class Versions:
    """Two versions, by what they are called, and their scores of the rows that both can score."""

    names: Sequence[str]
    subjects: Sequence[Subject]
    differences: Differences


def compare_versions(versions: Versions) -> list[MetricComparison]:
    """Measure both versions and the baselines on the rows that both can score, for each target."""
    comparisons = []
    for old in versions.subjects[0].evaluations:
        for new in versions.subjects[1].evaluations:
            if (new.target, list(new.classes)) == (old.target, list(old.classes)):
                _, of_old, of_new = np.intersect1d(old.rows, new.rows, return_indices=True)
                if of_old.size:
                    pair = dict(zip(versions.names, (old.select(of_old), new.select(of_new)), strict=True))
                    comparisons.append(compare_metrics({**pair, **old.select(of_old).constants()}))
    return comparisons


def difference_of(found: MetricComparison, metric: str) -> Interval:
    """Return by how much the metric of the second version exceeds that of the first, on the same rows."""
    old, new = (found.position(each, metric) for each in found.names[:2])
    return found.resampled.difference(new, old)


def verdict_of(found: MetricComparison) -> str:
    """Say in a sentence which version is better, if the rows can tell."""
    old, new = found.names[:2]
    metric = found.evaluations[0].deciding
    gap = difference_of(found, metric)
    values = [found.resampled.interval(found.position(each, metric)).value for each in (old, new)]
    both = f"{metric} {number(values[1])} instead of {number(values[0])}"
    sure = f"95% interval of the difference: {between(gap)}"
    if gap.high < 0:
        return f"{new} is better than {old}: {both} ({sure})"
    if gap.low > 0:
        return f"{new} is worse than {old}: {both} ({sure})"
    if gap.low == gap.high == 0:
        return f"{new} and {old} are equally good: {metric} {number(values[0])} for both"
    rows = count(len(found.evaluations[0].labels))
    return f"{rows} do not tell {new} and {old} apart: {both} ({sure})"


def write_comparison(versions: Versions, comparisons: Sequence[MetricComparison]) -> bytes:
    """Write the report of two versions."""
    old, new = versions.names
    verdicts = [f"{name(each.evaluations[0].target)}: {verdict_of(each)}." for each in comparisons]
    if len(comparisons) == 1:
        verdicts = [f"{verdict_of(comparisons[0])}."]
    if not comparisons:
        verdicts = ["Which version is better is not known: the table has no targets for both."]
    rows = count(len(versions.differences.rows))
    header = [
        element("p", "Two versions compared", class_="over"),
        element("h1", named(f"{old} and {new}")),
        element(
            "p", f"Both scored {rows} of ", named(name(versions.subjects[0].table.file)), ".", class_="lead"
        ),
        element("div", *(element("p", each) for each in verdicts), class_="verdict"),
    ]
    return page(f"{old} and {new}: comparison", header, list(_sections(versions, comparisons)), FOOTER)


def _sections(versions: Versions, comparisons: Sequence[MetricComparison]) -> Iterator[Element]:
    yield _changes(versions)
    for found in comparisons:
        of = f" of {name(found.evaluations[0].target)}" if len(comparisons) > 1 else ""
        how = f"On the {count(len(found.evaluations[0].labels))} that both can score."
        yield metrics_section(found, f"How good they are{of}", how)
        yield _differences_section(found, f"How they differ{of}")
        quantiles = [tuple(each.manifest.quantiles) for each in versions.subjects]
        for position, evaluation in enumerate(found.evaluations[:2]):
            unit = versions.subjects[position].manifest.unit
            made = evaluation_figures(evaluation, unit, quantiles[position])
            yield section(f"{versions.names[position]}{of}", "", figures(made))
    if versions.differences.rows.size:
        yield _scores_section(versions)
    yield _importances_section(versions)
    yield data_section(versions.subjects[1])
    yield _making_section(versions)


def _changes(versions: Versions) -> Element:
    """Say what would break callers, and what makes the numbers look other than they are."""
    subjects = versions.subjects
    boxes = []
    if changes := breaking_changes(*(each.manifest for each in subjects)):
        boxes.append(warning_box("What would break callers of the first", changes))
    found = [list(suspicions(each)) for each in subjects]
    for title, sentences in (
        ("Look at this before you trust the numbers", [each for each in found[0] if each in found[1]]),
        (f"Only for {versions.names[0]}", [each for each in found[0] if each not in found[1]]),
        (f"Only for {versions.names[1]}", [each for each in found[1] if each not in found[0]]),
    ):
        if sentences:
            boxes.append(warning_box(title, sentences))
    said = (
        ""
        if boxes
        else "Nothing was found that breaks callers, or that makes the numbers look other than they are."
    )
    return section("Suspicions", said, *boxes)


def _differences_section(found: MetricComparison, heading: str) -> Element:
    """Show the difference of each metric, and for numbers where the errors differ."""
    old, new = found.names[:2]
    rows, dots = [], []
    for metric in found.metrics:
        gap = difference_of(found, metric)
        if np.isnan(gap.value):
            continue
        rows.append([metric, number(gap.value), between(gap), _favours(metric, gap, old, new)])
        base = abs(found.resampled.interval(found.position(old, metric)).value)
        if base:
            dots.append(_in_percent(metric, gap, base))
    about = (
        f"Each difference is {new} minus {old}, on the same rows; its interval says how far other rows of "
        "the same kind might move it. An interval that holds 0 decides nothing."
    )
    heads = ["metric", "difference", "95% interval", "speaks for"]
    made = []
    if dots:
        axis = f"{new} minus {old}, in % of {old}"
        picture = charts.dots("differences of the metrics", dots, axis, (0.0,))
        made.append(figure("Differences", picture, "The line is the 95% interval.", table(heads, rows)))
    if not found.evaluations[0].classes:
        made.append(_errors_by_group(found.evaluations[:2], found.names[:2]))
    return section(heading, about, table(heads, rows, "Differences"), figures(made))


def _in_percent(metric: str, gap: Interval, base: float) -> charts.Named:
    value, low, high = (100 * each / base for each in gap)
    return charts.Named(metric, value, low, high, number(gap.value))


def _favours(metric: str, gap: Interval, old: str, new: str) -> str:
    if metric in WITHOUT_ORDER or gap.low <= 0 <= gap.high:
        return "neither"
    return new if (gap.value > 0) == (metric in HIGHER_IS_BETTER) else old


def _errors_by_group(evaluations: Sequence[Evaluation], names: Sequence[str]) -> Element:
    labels = evaluations[0].labels
    groups = groups_of(labels)
    middles = np.array([labels[rows].mean() for rows in groups])
    errors = {
        each: np.array([np.abs(of.predictions.scores - of.labels)[rows].mean() for rows in groups])
        for each, of in zip(names, evaluations, strict=True)
    }
    lines = [
        [number(middle), f"{len(rows):,}", *(number(line[at]) for line in errors.values())]
        for at, (middle, rows) in enumerate(zip(middles, groups, strict=True))
    ]
    target = f"true {name(evaluations[0].target)}"
    picture = charts.lines(
        "mean absolute error by the true value", middles, errors, target, "mean absolute error"
    )
    heads = [f"mean of {target}", "rows", *names]
    return figure("Where each errs", picture, "Rows in groups by their true value.", table(heads, lines))


def _scores_section(versions: Versions) -> Element:
    """Show the scores of one version over those of the other."""
    old, new = versions.names
    found = versions.differences
    made = []
    edges, counts = histogram(found.values)
    equal = int((found.values == 0).sum())
    quantiles = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
    rows = [
        [f"{share:.0%}", number(value)]
        for share, value in zip(quantiles, np.quantile(found.values, quantiles), strict=True)
    ]
    made.append(
        figure(
            "Scores of both",
            charts.squares("scores of both versions", found.old, found.new, old, new),
            "The area of a square is the number of rows. On the dashed line both versions say the same.",
            table(["rows up to", "difference"], rows),
        )
    )
    if found.values.any():
        made.append(
            figure(
                "How often a difference occurs",
                charts.histogram("histogram of the differences", edges, counts, f"{new} minus {old}"),
                f"{count(equal)} have equal scores, to the last bit.",
                histogram_table(edges, counts, "difference"),
            )
        )
    return section("Their scores", "", figures(made))


def _importances_section(versions: Versions) -> Element:
    made = [
        importance_figure(subject, importances_of(subject), each)
        for each, subject in zip(versions.names, versions.subjects, strict=True)
    ]
    return section("What matters to each", "What shuffling a feature costs each version.", figures(made))


def _making_section(versions: Versions) -> Element:
    content: list[Content] = []
    for each, subject in zip(versions.names, versions.subjects, strict=True):
        content += [element("h3", named(each)), facts(model_facts(subject.manifest))]
    command = versions.subjects[0].command
    return section(
        "How they were made", "", *content, element("h3", "This page"), facts(making_facts(command))
    )
