"""The arguments of `python -m model`."""

import argparse
from pathlib import Path

from model.description.manifest import TRANSFORMS

BUNDLES = Path(__file__).parents[1] / "bundles"
TRAINED = Path("trained")
EXAMPLES = """\
examples:
  python -m model train wages.csv --target wage --quantiles 0.05,0.95
  python -m model train churn.parquet --target left --classify --drop customer_id
  python -m model import booster.ubj --name rent --target rent --sample rows.csv --scores predicted
  python -m model import models:/rent@champion --target rent --sample rows.csv --scores predicted
  python -m model check trained/rent/1
  python -m model publish trained/rent/1 --to s3://my-bucket/bundles
  python -m model list --bundles s3://my-bucket/bundles
  python -m model show rent@1
  python -m model salary
"""


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m model",
        description="Train, import, inspect, check and publish models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add_train(commands.add_parser("train", help="train a model on a table (CSV or Parquet)"))
    _add_import(commands.add_parser("import", help="make a bundle of an XGBoost model trained elsewhere"))
    show = commands.add_parser("show", help="print the description of a bundle")
    _add_bundle(show)
    show.add_argument("--json", action="store_true", help="print bundle.json as it is")
    _add_bundle(commands.add_parser("check", help="load a bundle and score its golden rows"))
    publish = commands.add_parser("publish", help="publish a bundle as the next version of its model")
    _add_bundle(publish)
    publish.add_argument("--to", required=True, metavar="LOCATION", help="a directory or s3://BUCKET/PREFIX")
    publish.add_argument("--version", type=positive, metavar="N", help="the version (default: the next one)")
    _add_registry(commands.add_parser("list", help="list the published bundles"))
    for name, model in (("salary", "the default model, salary@1"), ("wages", "the second model, wages@1")):
        shipped = commands.add_parser(
            name,
            help=f"train {model}",
            description=f"Train {model}, and write its bundle. Every run writes the same bytes.",
        )
        shipped.add_argument(
            "--output", type=Path, default=BUNDLES, metavar="DIR", help="directory of bundles (%(default)s)"
        )
    for command in commands.choices.values():
        command.epilog = EXAMPLES
        command.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Train a model on a table and write it as a bundle. The metrics are those of five folds, beside a\n"
        "constant and a linear model. In CSV an empty field is a missing value. The same table, options and\n"
        "seed give the same bytes."
    )
    add = parser.add_argument
    add("table", type=Path, metavar="FILE", help="CSV (with a header) or Parquet")
    add("--target", required=True, metavar="COLUMN", help="the column to predict")
    _add_description(parser)
    add("--classify", action="store_true", help="the target is a class, not a number")
    add("--objective", default="", metavar="NAME", help="XGBoost's name of the objective")
    add("--log", action="store_true", help="train on the logarithm of the target")
    add("--quantiles", type=quantiles, default=(), metavar="LOW,HIGH", help="add an interval: 0.05,0.95")
    add("--base-margin", default="", metavar="COLUMN", help="number that the trees' sum starts from")
    add("--drop", action="append", default=[], metavar="COLUMN", help="a column to leave out (repeatable)")
    _add_missing(parser)
    add("--limits", type=Path, metavar="FILE", help='JSON, such as {"years": {"minimum": 0, "maximum": 60}}')
    add("--seed", type=int, default=0, metavar="N", help="seed of all random choices (%(default)s)")
    add("--threads", type=positive, default=1, metavar="N", help="threads for XGBoost (%(default)s)")


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
    add("--target", default="prediction", metavar="NAME", help="what the model predicts (%(default)s)")
    add("--targets", type=texts, default=(), metavar="NAMES", help="names of several targets: height,weight")
    _add_description(parser)
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
    _add_missing(parser)
    add(
        "--scores",
        default="",
        metavar="COLUMN",
        help="the author's scores of the sample: columns of it, a FILE (CSV, Parquet, .npy), or FILE:COLUMNS",
    )
    add("--by-position", action="store_true", help="the features are the sample's columns, in their order")
    add("--inexact", action="store_true", help="accept scores that differ in the last bits of a link")
    add("--unproved", action="store_true", help="import a model though the sample shows wrong scores")


def _add_description(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="name of the model (default: the name of the file)")
    parser.add_argument("--unit", default="", metavar="TEXT", help="unit of the target, such as dollars")
    parser.add_argument(
        "--output", type=Path, default=TRAINED, metavar="DIR", help="directory of bundles (%(default)s)"
    )


def _add_missing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--missing",
        type=texts,
        default=(),
        metavar="TEXTS",
        help="texts for missing values in CSV, such as NA,?",
    )


def _add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a directory, or NAME or NAME@VERSION in --bundles")
    _add_registry(parser)


def _add_registry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bundles",
        default=str(BUNDLES),
        metavar="LOCATION",
        help="a directory or s3://BUCKET/PREFIX (%(default)s)",
    )


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def quantiles(text: str) -> tuple[float, ...]:
    """Read two numbers between 0 and 1, one below and one above 0.5."""
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("must be two numbers, such as 0.05,0.95") from None
    if not 0 < low < 0.5 < high < 1:
        raise argparse.ArgumentTypeError("must be one number below and one above 0.5, such as 0.05,0.95")
    return low, high


def texts(text: str) -> tuple[str, ...]:
    """Read texts separated by commas."""
    return tuple(text.split(","))
