"""The report of one bundle: a page of HTML."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from model.report.data import data_section, making_section
from model.report.looks import effects_section, importance_section, importances_of
from model.report.markup import Content, element
from model.report.parts import careful, named, page, section
from model.report.quality import contest_of, quality_sections, verdict
from model.report.subject import Contest, Subject
from model.report.suspicions import suspicions
from model.report.writing import count, name

FOOTER = "This file needs no network and no script. Its charts have their numbers behind them."


def write_report(subject: Subject) -> bytes:
    """Write the report of a bundle."""
    contests = [contest_of(subject, judged) for judged in subject.judged]
    manifest = subject.manifest
    header = [
        element("p", "Model report", class_="over"),
        element("h1", manifest.ref),
        element("p", *_lead(subject), class_="lead"),
        element("div", *(element("p", each) for each in _verdicts(subject, contests)), class_="verdict"),
    ]
    return page(f"{manifest.ref}: report", header, list(_sections(subject, contests)), FOOTER)


def _lead(subject: Subject) -> Iterator[Content]:
    manifest = subject.manifest
    yield "Predicts "
    yield element("b", named(name(manifest.target)))
    features = count(len(manifest.schema.names), "feature")
    yield f"{f' in {manifest.unit}' if manifest.unit else ''} from {features}."
    yield f" Judged on {count(len(subject.rows))} of "
    yield named(name(subject.table.file))
    yield "."


def _verdicts(subject: Subject, contests: list[Contest]) -> Iterator[str]:
    several = len(contests) > 1
    for found in contests:
        yield f"{name(found.judged[0].target)}: {verdict(found)}" if several else verdict(found)
    if not contests:
        yield (
            "How good it is remains unknown: the table has no column "
            f"{subject.manifest.target!r} with values that can be compared with its scores."
        )


def _sections(subject: Subject, contests: list[Contest]) -> Iterator[Element]:
    yield _suspicions(subject)
    for judged, found in zip(subject.judged, contests, strict=True):
        yield from quality_sections(subject, judged, found)
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
    return section("Suspicions", "", careful("Look at this before you trust the numbers", found))
