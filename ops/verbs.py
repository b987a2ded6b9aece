"""The verbs of a group of commands, such as `list` and `show`, and what they share."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jobs.errors import JobsError
from jobs.settings import Settings


class Verb(NamedTuple):
    name: str
    help: str
    examples: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Settings], int]


def id_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")


def ids_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID")


def act_on_each(ids: Sequence[str], act: Callable[[str], None], *refusals: type[JobsError]) -> int:
    """The exit status is 1 if one of them is refused; the others are done."""
    status = 0
    for each in ids:
        try:
            act(each)
        except refusals as error:
            print(f"ops: {each}: {error}", file=sys.stderr)
            status = 1
    return status
