"""What a model was evaluated on, and how it was made."""

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from model.description.manifest import Manifest
from model.evaluation.evaluate import Evaluation
from model.report import charts
from model.report.bin_tables import histogram_table
from model.report.binning import histogram
from model.report.markup import Content, element
from model.report.parts import facts, figure, named, section, table
from model.report.subject import Subject
from model.report.writing import NOTHING, count, name, percent, spread_of, value_of
from model.training.column import TableColumn

MOST_CLASSES, MOST_TEXTS, LONGEST_VALUE = 12, 4, 300
PACKAGES = ("numpy", "pyarrow", "scikit-learn", "optuna")


def data_section(subject: Subject) -> Element:
    """Show the table: how it was split, the target and the features."""
    rows = [_feature_row(column) for column in subject.columns]
    heads = ["feature", "type", "missing", "different", "least · median · greatest, or the most frequent"]
    pictures = [_target_figure(evaluation, subject.manifest.unit) for evaluation in subject.evaluations]
    features = table(heads, rows, f"The features in {count(len(subject.rows))}", {1, 4})
    return section("The data", "", facts(_table_facts(subject)), *pictures, features)


def _table_facts(subject: Subject) -> Iterator[tuple[str, Content]]:
    table_of = subject.table
    yield "file", named(name(table_of.file))
    yield "sha256", element("code", table_of.sha256)
    yield "rows", f"{count(table_of.columns.num_rows)}, of which {len(subject.rows):,} are scored"
    yield "split", _split(subject)


def _split(subject: Subject) -> str:
    training = subject.manifest.training
    if subject.held_out:
        folds, seed = training.get("folds"), training.get("seed")
        return (
            f"{folds} folds, drawn with the seed {seed}: each row is scored once, by trees that were trained "
            "on the other folds. The model that is served was then trained on all rows."
        )
    if subject.learned:
        return "none: the model was trained on these rows"
    return "none: the model is evaluated on all rows; whether it has seen them, only their owner knows"


def _target_figure(evaluation: Evaluation, unit: str) -> Element:
    title = f"{name(evaluation.target)}{f' in {unit}' if unit else ''}"
    if evaluation.classes:
        counts = np.bincount(evaluation.labels.astype(np.int64), minlength=len(evaluation.classes)).tolist()
        pairs = sorted(zip(evaluation.classes, counts, strict=True), key=lambda pair: -pair[1])
        bars = [charts.Named(each, rows, rows, rows, f"{rows:,}") for each, rows in pairs[:MOST_CLASSES]]
        shares = [[name(each), f"{rows:,}", percent(rows / len(evaluation.labels))] for each, rows in pairs]
        picture = charts.bars(f"rows of each class of {evaluation.target}", bars, "rows")
        return figure(
            title, picture, "How many rows each class has.", table(["class", "rows", "share"], shares), True
        )
    edges, counts = histogram(evaluation.labels)
    said = f"Least, median and greatest: {spread_of(evaluation.labels)}."
    picture = charts.histogram(f"histogram of {evaluation.target}", edges, counts, title)
    return figure(title, picture, said, histogram_table(edges, counts, "value"), True)


def _feature_row(column: TableColumn) -> list[str]:
    known = column.values[~column.missing]
    values = NOTHING
    if column.type in ("category", "boolean"):
        codes, counts = np.unique(known, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:MOST_TEXTS]
        texts = [value_of(column.type, column.texts, codes[at]) for at in order]
        values = ", ".join(texts) + (
            f" and {len(codes) - MOST_TEXTS} more" if len(codes) > MOST_TEXTS else ""
        )
    elif known.size:
        ends = np.quantile(known, (0, 0.5, 1), method="nearest")
        values = " · ".join(value_of(column.type, (), each) for each in ends)
    missing = percent(float(column.missing.mean()))
    return [name(column.name), column.type, missing, f"{column.count_distinct():,}", values]


def making_section(subject: Subject) -> Element:
    """Say how the model and the report were made, so that both can be made again."""
    return section(
        "How it was made", "", facts(model_facts(subject.manifest)), facts(making_facts(subject.command))
    )


def making_facts(command: str) -> Iterator[tuple[str, Content]]:
    """Say how the report was made."""
    yield "report made by", element("code", named(command))
    yield "with", ", ".join(f"{package} {installed}" for package, installed in _installed())


def model_facts(manifest: Manifest) -> Iterator[tuple[str, Content]]:
    """Say what a bundle says of itself."""
    yield "bundle", element("code", manifest.ref)
    yield "sha256", element("code", manifest.sha256)
    yield "objective", element("code", manifest.objective)
    yield "rounds of trees", f"{manifest.trees:,}"
    yield "XGBoost", manifest.xgboost
    if manifest.transform:
        yield "target learned as", manifest.transform
    if manifest.steps is not None:
        yield "preparation", "the steps of a pipeline, kept as data"
    proof = {
        "scores": "its author's scores, to the last bit",
        "target": "its error",
        "none": "compared with nothing",
    }
    yield "proof", proof.get(manifest.proof.get("kind", ""), "trained by Paygrade")
    yield "training", _written(manifest.training)


def _written(value: Any) -> Element:
    if isinstance(value, Mapping):
        return facts((str(key).replace("_", " "), _written(each)) for key, each in value.items())
    text = str(value)
    return element("code", named(text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"))


def _installed() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    for package in ("xgboost-cpu", "xgboost", *PACKAGES):
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
