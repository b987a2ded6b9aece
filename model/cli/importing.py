"""The command `import`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from model.cli.options import add_description, add_table, newest_served, positive, table_options, texts
from model.cli.render import render_features, render_written
from model.description.checks import TRANSFORMS
from model.publish import publish


def add_importing(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("import", help="make a bundle of an XGBoost model trained elsewhere")
    parser.description = (
        "Make a bundle of a booster. The names, types and categories of the features and the best iteration\n"
        "are read from the booster; the command asks for what the booster does not know."
    )
    add = parser.add_argument
    add(
        "model",
        metavar="MODEL",
        help="a file of save_model (.ubj or .json), or of MLflow: a folder, models:/NAME@alias, runs:/…",
    )
    predicted = parser.add_mutually_exclusive_group()
    predicted.add_argument(
        "--target", default="", metavar="NAME", help="what the model predicts (default: prediction)"
    )
    predicted.add_argument(
        "--targets", type=texts, default=(), metavar="NAMES", help="names of several targets: height,weight"
    )
    add_description(parser)
    add("--schema", type=Path, metavar="FILE", help="JSON list of features or names, in the model's order")
    add("--classes", type=texts, default=(), metavar="TEXTS", help="names of the classes, such as no,yes")
    add("--transform", default="", choices=TRANSFORMS, help="transform of the target in training")
    add("--base-margin", default="", metavar="NAME", help="number that the trees' sum starts from")
    add("--trees", type=positive, metavar="N", help="rounds to use (default: the best iteration, or all)")
    add("--missing-value", type=float, metavar="N", help="number that stands for a missing value: -999")
    add("--zero-is-missing", action="store_true", help="trained on a sparse matrix: its zeros are missing")
    _add_proof(parser)


def _add_proof(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--sample", type=Path, metavar="FILE", help="CSV or Parquet with typical rows, for the golden rows")
    add_table(parser)
    add(
        "--scores",
        default="",
        metavar="COLUMN",
        help="the author's scores of the sample: columns of it, a FILE (CSV, Parquet, .npy), or FILE:COLUMNS",
    )
    add("--by-position", action="store_true", help="the features are the sample's columns, in their order")
    add(
        "--inexact",
        action="store_true",
        help="accept scores that differ in the last bits of a link or transform",
    )
    add(
        "--unproved",
        action="store_true",
        help="import a model even if the sample shows that scores are wrong",
    )


def _import(options: argparse.Namespace) -> str:
    from model.importing.assemble import import_model
    from model.importing.open_source import open_source
    from model.importing.options import ImportOptions, read_schema_file
    from model.tables.table import read_table
    from model.training.trained import model_name

    import_options = ImportOptions(
        name=model_name(_name_of(options.model), options.name),
        target=options.target or ", ".join(options.targets) or "prediction",
        targets=options.targets,
        unit=options.unit,
        features=read_schema_file(options.schema) if options.schema else (),
        classes=options.classes,
        transform=options.transform,
        base_margin=options.base_margin,
        trees=options.trees,
        missing_value=options.missing_value,
        zero_is_missing=options.zero_is_missing,
        by_position=options.by_position,
        scores=options.scores,
        unproved=options.unproved,
        inexact=options.inexact,
    )
    sample = read_table(options.sample, table_options(options)) if options.sample else None
    for note in sample.notes if sample else ():
        print(f"note: {note}", file=sys.stderr)
    newest = newest_served(import_options.name)
    with open_source(options.model, os.environ) as source:
        imported = import_model(source, import_options, sample)
    trained = imported.trained
    manifest = publish(options.output, trained.booster, trained.description, trained.golden_rows, newest)
    return "\n".join([render_features(manifest), *imported.notes, render_written(manifest)])


def _name_of(model: str) -> str:
    """Return what an imported model is called: its file, its folder, or its name in a registry of MLflow."""
    scheme, colon, rest = model.partition(":/")
    if not colon:
        return Path(model).resolve().name
    first, *others = rest.strip("/").split("/")
    return first.partition("@")[0] if scheme == "models" else [first, *others][-1]


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {"import": _import}
