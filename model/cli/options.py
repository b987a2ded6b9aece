"""What the arguments of several commands have in common: places of bundles, and types of values."""

import argparse
import os
from pathlib import Path

from model.description.lifecycle import next_version
from model.registry.open import S3, open_registry

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


def add_missing(parser: argparse.ArgumentParser) -> None:
    """Add the option for texts that mean a missing value."""
    parser.add_argument(
        "--missing",
        type=texts,
        default=(),
        metavar="TEXTS",
        help="texts for missing values in CSV, such as NA,?",
    )


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text[:64]!r}")
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
