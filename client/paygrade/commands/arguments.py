"""Command line arguments that several commands share."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from paygrade.calling.requests import checked_url
from paygrade.client import Client
from paygrade.errors import ClientMisconfigured

LONGEST_KEY = 4096


class Command(NamedTuple):
    name: str
    help: str
    examples: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Client], int] | Callable[[argparse.Namespace], int]
    calls: bool = True
    """Whether it calls a service: `run` then takes a client."""


class ArgumentsParser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> NoReturn:
        """Prints one line, where argparse would print the whole usage."""
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url", type=_url, help="address of the service (PAYGRADE_URL, or http://127.0.0.1:8000)"
    )
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="file that holds the key (or set PAYGRADE_API_KEY)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, one object per line")


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME[@VERSION]", help="the model (default: the service's)")


def read_key(file: Path) -> str:
    """Raises ClientMisconfigured if the file holds no key."""
    try:
        with file.open() as opened:
            key = opened.read(LONGEST_KEY).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "it is not text")
        raise ClientMisconfigured(f"--key-file {file} cannot be read: {reason}") from None
    if not key:
        raise ClientMisconfigured(f"--key-file {file} is empty")
    return key


def positive_int(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def positive_seconds(text: str) -> float:
    try:
        read = float(text)
    except ValueError:
        read = 0
    if not 0 < read < 1e6:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, not {text!r}")
    return read


def _url(text: str) -> str:
    try:
        return checked_url(text)
    except ClientMisconfigured as error:
        raise argparse.ArgumentTypeError(str(error)) from None
