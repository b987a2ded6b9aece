"""The report of one bundle: a page of HTML."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from model.report.data import data_section, making_section
from model.report.features import effects_section, importance_section, importances_of
from model.report.markup import Content, element
from model.report.parts import named, page, section, warning_box
from model.report.quality import compare_with_baselines, quality_sections, verdict
from model.report.subject import MetricComparison, Subject
from model.report.suspicions import suspicions
from model.report.writing import count, name

FOOTER = "This file needs no network and no script. Its charts have their numbers behind them."


def write_report(subject: Subject) -> bytes:
    """Write the report of a bundle."""
    comparisons = [compare_with_baselines(subject, evaluation) for evaluation in subject.evaluations]
    manifest = subject.manifest
    header = [
        element("p", "Model report", class_="over"),
        element("h1", manifest.ref),
        element("p", *_lead(subject), class_="lead"),
        element("div", *(element("p", each) for each in _verdicts(subject, comparisons)), class_="verdict"),
    ]
    return page(f"{manifest.ref}: report", header, list(_sections(subject, comparisons)), FOOTER)


def _lead(subject: Subject) -> Iterator[Content]:
    manifest = subject.manifest
    yield "Predicts "
    yield element("b", named(name(manifest.target)))
    features = count(len(manifest.schema.names), "feature")
    yield f"{f' in {manifest.unit}' if manifest.unit else ''} from {features}."
    yield f" Evaluated on {count(len(subject.rows))} of "
    yield named(name(subject.table.file))
    yield "."


def _verdicts(subject: Subject, comparisons: list[MetricComparison]) -> Iterator[str]:
    several = len(comparisons) > 1
    for found in comparisons:
        yield f"{name(found.evaluations[0].target)}: {verdict(found)}" if several else verdict(found)
    if not comparisons:
        yield (
            "How good it is remains unknown: the table has no column "
            f"{subject.manifest.target!r} with values that can be compared with its scores."
        )


def _sections(subject: Subject, comparisons: list[MetricComparison]) -> Iterator[Element]:
    yield _suspicions(subject)
    for evaluation, found in zip(subject.evaluations, comparisons, strict=True):
        yield from quality_sections(subject, evaluation, found)
    found_importances = importances_of(subject)
    yield importance_section(subject, found_importances)
    effects = effects_section(subject, found_importances)
    if effects is not None:
        yield effects
    yield data_section(subject)
    yield making_section(subject)


def _suspicions(subject: Subject) -> Element:
    found = list(suspicions(subject))
    if not found:
        said = "Nothing was found that makes the numbers below look better or worse than they are."
        return section("Suspicions", said)
    return section("Suspicions", "", warning_box("Look at this before you trust the numbers", found))
