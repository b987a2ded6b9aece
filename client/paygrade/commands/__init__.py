"""The command paygrade: scores rows and files, and manages a caller's own jobs."""

import argparse
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper

from paygrade import __version__
from paygrade.client import Client
from paygrade.commands import capacity, jobs, models, predict, save, score, watch
from paygrade.commands.arguments import ArgumentsParser, Command, add_service, read_key
from paygrade.commands.errors import SavingFailed, ScoringFailed
from paygrade.errors import Conflict, KeyRefused, NotFound, PaygradeError, Unreachable

COMMANDS: dict[str, Command | Sequence[Command]] = {
    "predict": predict.COMMAND,
    "score": score.COMMAND,
    "jobs": jobs.COMMANDS,
    "models": models.COMMAND,
    "capacity": capacity.COMMAND,
    "save": save.COMMAND,
    "watch": watch.COMMAND,
}
TIMEOUT_SECONDS = 10.0
"""How long a busy service is waited for at a shell, where a command has no deadline of its own."""
EPILOG = """\
Each command has --help with examples.

environment:
  PAYGRADE_URL      the address of the service (http://127.0.0.1:8000); --url takes precedence
  PAYGRADE_API_KEY  the key; --key-file takes precedence

exit status:
  0    done
  1    a row or a job failed, was not found, or cannot be changed any more
  2    the command could not be carried out: bad arguments, a wrong key, no service
  130  interrupted by Ctrl-C
"""


def main(given: Sequence[str] | None = None, connect: Callable[..., Client] = Client) -> int:
    """Runs one command, with the client that `connect` gives, and returns its exit status."""
    try:
        with _flushed_output():
            options = _parser().parse_args(given)
            if not options.calls:
                return int(options.run(options))
            key = None if options.key_file is None else read_key(options.key_file)
            with connect(options.url, key, timeout=TIMEOUT_SECONDS) as client:
                return int(options.run(options, client))
    except (ScoringFailed, SavingFailed, Conflict, NotFound) as error:
        return _complain(error, 1)
    except KeyRefused as error:
        return _complain(f"{error}; set PAYGRADE_API_KEY or use --key-file", 2)
    except Unreachable as error:
        return _complain(f"{error}; check --url or PAYGRADE_URL", 2)
    except PaygradeError as error:
        return _complain(error, 2)
    except BrokenPipeError:  # the reader has read enough
        _discard_output()
        return 0
    except OSError as error:
        if error.filename:
            return _complain(f"{error.filename}: {error.strerror}", 2)
        _discard_output()  # it could not be written
        return _complain(error.strerror or error, 2)
    except KeyboardInterrupt:
        return 130


@contextmanager
def _flushed_output() -> Iterator[None]:
    """What is printed arrives, and characters that the terminal cannot show are escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        if sys.stdout:
            sys.stdout.flush()


def _complain(error: object, status: int) -> int:
    print(f"paygrade: {error}", file=sys.stderr)
    return status


def _discard_output() -> None:
    """Otherwise Python would try to write the rest at its end, and print a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> ArgumentsParser:
    parser = ArgumentsParser(
        prog="paygrade",
        description="Scores rows and files, and manages jobs of a Paygrade service.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"paygrade {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command in COMMANDS.items():
        if isinstance(command, Command):
            _add(commands.add_parser, name, command)
        else:
            group = commands.add_parser(name, help=jobs.HELP, description=jobs.HELP)
            below = group.add_subparsers(required=True, metavar="command")
            for each in command:
                _add(below.add_parser, each.name, each)
    return parser


def _add(add_parser: Callable[..., argparse.ArgumentParser], name: str, command: Command) -> None:
    parser = add_parser(
        name,
        help=command.help,
        description=inspect.getdoc(command.run),
        epilog=f"examples:\n{command.examples}",
    )
    command.add_arguments(parser)
    if command.calls:
        add_service(parser)
    parser.set_defaults(run=command.run, calls=command.calls)
