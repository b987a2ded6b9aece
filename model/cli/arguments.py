"""The arguments of `python -m model`."""

import argparse
from pathlib import Path

from model.cli.comparing import add_comparing
from model.cli.life import add_life
from model.cli.options import add_bundle, add_description, add_registry, add_table, positive, texts
from model.cli.training import add_shipped, add_training
from model.description.checks import TRANSFORMS

EXAMPLES = """\
examples:
  python -m model train wages.csv --target wage --quantiles 0.05,0.95
  python -m model train churn.parquet --target left --classify --drop customer_id
  python -m model import booster.ubj --name rent --target rent --sample rows.csv --scores predicted
  python -m model import models:/rent@champion --target rent --sample rows.csv --scores predicted
  python -m model check trained/rent/1
  python -m model compare rent trained/rent/2 --data rents.csv --picture rents.svg
  python -m model publish trained/rent/2 --to s3://my-bucket/bundles --sample rents.csv
  python -m model list --bundles s3://my-bucket/bundles
  python -m model alias rent@champion 2
  python -m model rollback rent@champion
  python -m model show rent@1
  python -m model salary
"""


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m model",
        description="Train, import, inspect, check, compare and publish models, and name their versions.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    add_training(commands)
    _add_import(commands.add_parser("import", help="make a bundle of an XGBoost model trained elsewhere"))
    show = commands.add_parser("show", help="print the description of a bundle")
    add_bundle(show)
    show.add_argument("--json", action="store_true", help="print bundle.json as it is")
    add_bundle(commands.add_parser("check", help="load a bundle and score its golden rows"))
    add_comparing(commands)
    add_life(commands)
    add_registry(commands.add_parser("list", help="list the published bundles, with their aliases"))
    add_shipped(commands)
    for command in commands.choices.values():
        command.epilog = EXAMPLES
        command.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def _add_import(parser: argparse.ArgumentParser) -> None:
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
