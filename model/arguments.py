"""What may be said on the command line of models."""

import argparse
from pathlib import Path

BUNDLES = Path(__file__).parent / "bundles"
TRAINED = Path("trained")
EXAMPLES = """\
examples:
  python -m model train wages.csv --target wage --quantiles 0.05,0.95
  python -m model train churn.parquet --target left --classify --drop customer_id
  python -m model import booster.ubj --name rent --target rent --sample rows.csv
  python -m model check trained/rent/1
  python -m model publish trained/rent/1 --to s3://my-bucket/bundles
  python -m model list --bundles s3://my-bucket/bundles
  python -m model show rent@1
  python -m model salary
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model",
        description="Train, import, look at, check and publish models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _train(commands.add_parser("train", help="train a model on a table, CSV or Parquet"))
    _import(commands.add_parser("import", help="make a bundle of an XGBoost model trained elsewhere"))
    show = commands.add_parser("show", help="print what a bundle says of itself")
    _bundle(show)
    show.add_argument("--json", action="store_true", help="as it stands in bundle.json")
    _bundle(commands.add_parser("check", help="load a bundle, and score its golden rows"))
    publish = commands.add_parser("publish", help="put a bundle where it is served, as the next version")
    _bundle(publish)
    publish.add_argument("--to", required=True, metavar="WHERE", help="a directory, or s3://BUCKET/PREFIX")
    publish.add_argument("--version", type=positive, metavar="N", help="instead of the next one")
    _where(commands.add_parser("list", help="list what is published"))
    for name, what in (("salary", "the default model, salary@1"), ("wages", "the second model, wages@1")):
        shipped = commands.add_parser(
            name,
            help=f"train {what}",
            description=f"Train {what}, and write it. The same bytes come out each time.",
        )
        shipped.add_argument(
            "--output", type=Path, default=BUNDLES, metavar="DIR", help="directory of bundles (%(default)s)"
        )
    for command in commands.choices.values():
        command.epilog = EXAMPLES
        command.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def _train(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Train a model on a table, and write it as a bundle with its metrics, beside a constant and a linear "
        "model. In CSV the empty field is a missing value. The same seed gives the same bytes."
    )
    parser.add_argument("table", type=Path, metavar="FILE", help="CSV or Parquet, with a header")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="what is to be predicted")
    _described(parser)
    parser.add_argument("--classify", action="store_true", help="the target is a class, not a number")
    parser.add_argument("--objective", default="", metavar="NAME", help="as XGBoost names it")
    parser.add_argument("--log", action="store_true", help="learn the logarithm of the target")
    parser.add_argument(
        "--quantiles",
        type=quantiles,
        default=(),
        metavar="LOW,HIGH",
        help="add an interval: 0.05,0.95",
    )
    parser.add_argument("--base-margin", default="", metavar="COLUMN", help="what the trees' sum starts from")
    parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="not to learn from it")
    parser.add_argument("--missing", type=texts, default=(), metavar="TEXTS", help="such as NA,? in CSV")
    parser.add_argument(
        "--limits", type=Path, metavar="FILE", help='JSON, as in {"years": {"minimum": 0, "maximum": 60}}'
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    parser.add_argument("--threads", type=positive, default=1, metavar="N", help="(%(default)s)")


def _import(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a bundle of a booster: names, types, categories and the best iteration are read from it, and "
        "what it does not know is asked for."
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="what save_model wrote: .ubj or .json")
    parser.add_argument("--target", required=True, metavar="NAME", help="what it predicts")
    _described(parser)
    parser.add_argument(
        "--sample", type=Path, metavar="FILE", help="rows that it was made for, for golden ones"
    )
    parser.add_argument("--missing", type=texts, default=(), metavar="TEXTS", help="such as NA,? in CSV")
    parser.add_argument("--schema", type=Path, metavar="FILE", help="JSON: features, or names, in its order")
    parser.add_argument("--classes", type=texts, default=(), metavar="TEXTS", help="names of its classes")
    parser.add_argument("--transform", default="", choices=("log", "log1p"), help="of the target in training")
    parser.add_argument("--base-margin", default="", metavar="NAME", help="what the trees' sum starts from")
    parser.add_argument("--trees", type=positive, metavar="N", help="rounds to use, instead of the best")


def _described(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="of the model (after the file)")
    parser.add_argument("--unit", default="", metavar="TEXT", help="of the target, such as dollars")
    parser.add_argument(
        "--output", type=Path, default=TRAINED, metavar="DIR", help="directory of bundles (%(default)s)"
    )


def _bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a directory, or NAME or NAME@VERSION of --bundles")
    _where(parser)


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bundles",
        default=str(BUNDLES),
        metavar="WHERE",
        help="a directory, or s3://BUCKET/PREFIX (%(default)s)",
    )


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def quantiles(text: str) -> tuple[float, ...]:
    """Two shares between 0 and 1, the lower first."""
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("must be two numbers, as in 0.05,0.95") from None
    if not 0 < low < 0.5 < high < 1:
        raise argparse.ArgumentTypeError("must be one below and one above 0.5, as in 0.05,0.95")
    return low, high


def texts(text: str) -> tuple[str, ...]:
    """Texts with commas between."""
    return tuple(text.split(","))
