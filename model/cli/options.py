"""What the arguments of several commands have in common: locations of bundles, and types of values."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from model.description.lifecycle import next_version
from model.registry.open import S3, open_registry
from model.tables.dialect import DECIMALS, DELIMITERS, ENCODINGS, Dialect, sign_named

if TYPE_CHECKING:
    from model.tables.table import TableOptions

SETTING = "PAYGRADE_BUNDLES"
TRAINED = Path("trained")
SHIPPED = Path(__file__).parents[1] / "bundles"


def default_bundles() -> str:
    """Where the commands look for bundles without an option: as web and workers do."""
    return os.environ.get(SETTING) or str(SHIPPED)


def default_directory() -> Path:
    """The directory that the commands of the shipped models write to without an option."""
    bundles = default_bundles()
    return SHIPPED if bundles.startswith(S3) else Path(bundles)


def newest_served(name: str) -> int:
    """Return the highest number that a version ever had where PAYGRADE_BUNDLES is, or 0.

    Raises RegistryUnavailable for a bucket that cannot be listed.
    """
    location = os.environ.get(SETTING)
    if not location or not (location.startswith(S3) or Path(location).is_dir()):
        return 0
    registry = open_registry(location)
    return next_version(registry.contents().versions(name), registry.read_lifecycle(name)) - 1


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Add the argument BUNDLE, and the option that says where names are looked up."""
    parser.add_argument(
        "bundle", metavar="BUNDLE", help="a directory, or NAME, NAME@VERSION or NAME@ALIAS in --bundles"
    )
    add_registry(parser)


def add_registry(parser: argparse.ArgumentParser) -> None:
    """Add the option `--bundles`."""
    parser.add_argument(
        "--bundles",
        default=default_bundles(),
        metavar="LOCATION",
        help=f"a directory or s3://BUCKET/PREFIX (default: {SETTING}, now %(default)s)",
    )


def add_description(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that makes a bundle."""
    parser.add_argument("--name", default="", help="name of the model (default: the name of the file)")
    parser.add_argument("--unit", default="", metavar="TEXT", help="unit of the target, such as dollars")
    parser.add_argument(
        "--output", type=Path, default=TRAINED, metavar="DIR", help="directory of bundles (%(default)s)"
    )


def add_table(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a table is written."""
    add = parser.add_argument
    add("--missing", type=texts, default=(), metavar="TEXTS", help="texts for missing values, such as NA,?")
    add("--delimiter", type=delimiter, default="", help="what separates fields (default: found by looking)")
    add("--decimal", type=decimal, default="", help="point or comma (default: found by looking)")
    add("--encoding", type=encoding, default="", help="such as windows-1252 (default: UTF-8, or by its mark)")


def table_options(options: argparse.Namespace) -> "TableOptions":
    """Return what the options say of how a table is written."""
    from model.tables.table import TableOptions

    return TableOptions(options.missing, Dialect(options.delimiter, options.decimal), options.encoding)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text[:64]!r}")
    return number


def delimiter(text: str) -> str:
    """Read what separates the fields of CSV, or its name."""
    return _sign(text, DELIMITERS)


def decimal(text: str) -> str:
    """Read a decimal sign, or its name."""
    return _sign(text, DECIMALS)


def _sign(text: str, names: Mapping[str, str]) -> str:
    sign = sign_named(text, names) if text else ""
    if sign is None:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(names.values())}")
    return sign


def encoding(text: str) -> str:
    """Read the name of an encoding."""
    if text and text.lower() not in ENCODINGS:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(ENCODINGS)}")
    return ENCODINGS.get(text.lower(), "")


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
