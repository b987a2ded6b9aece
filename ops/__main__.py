"""python -m ops: the commands of operators, straight from Redis."""

import argparse
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from redis import RedisError

from jobs.errors import JobsError
from jobs.settings import Settings, load_settings_beside_run
from ops import capacity, dead_commands, doctor, job_commands, watch
from ops.errors import CommandFailed

EPILOG = """\
Each command has --help with examples. Settings come from the environment, as for web and workers;
REDIS_URL is the address of Redis; without it, what `make run` has started is found through PAYGRADE_DATA.
No key is needed, and the jobs of every owner can be seen.

exit status:
  0    done
  1    doctor found a fault; a job was not found or cannot be changed any more
  2    the command could not be carried out: bad arguments or settings, no Redis
  130  interrupted by Ctrl-C
"""

Run = Callable[[argparse.Namespace, Settings], int]


def main(given: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    try:
        try:
            options = _parser().parse_args(given)
            return int(options.run(options, load_settings_beside_run()))
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except CommandFailed as error:
        return _complain(error, 1)
    except JobsError as error:
        return _complain(error, 2)
    except RedisError as error:
        return _complain(f"Redis refused: {str(error).splitlines()[0]}", 2)
    except BrokenPipeError:  # the reader has read enough
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        return _complain(error.strerror or error, 2)
    except KeyboardInterrupt:
        return 130


def _complain(error: object, status: int) -> int:
    print(f"ops: {error}", file=sys.stderr)
    return status


def _discard_output() -> None:
    """Otherwise Python would try to write the rest at its end, and print a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _OpsParser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> NoReturn:
        """Prints one line, where argparse would print the whole usage."""
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def _parser() -> _OpsParser:
    parser = _OpsParser(
        prog="python -m ops", description="Looks after a Paygrade service through its Redis.", epilog=EPILOG
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(group: Any, name: str, summary: str, examples: str, run: Run) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = group.add_parser(
            name, help=summary, description=inspect.getdoc(run), epilog=f"examples:\n{examples}"
        )
        command.add_argument("--json", action="store_true", help="print JSON, one object per line")
        command.set_defaults(run=run)
        return command

    doctor.arguments(add(commands, "doctor", doctor.HELP, doctor.EXAMPLES, doctor.run))
    add(commands, "capacity", capacity.HELP, capacity.EXAMPLES, capacity.run)
    watch.arguments(add(commands, "watch", watch.HELP, watch.EXAMPLES, watch.run))
    for name, group in (("jobs", job_commands), ("dead", dead_commands)):
        verbs = commands.add_parser(name, help=group.HELP, description=group.HELP).add_subparsers(
            required=True, metavar="command"
        )
        for verb in group.VERBS:
            verb.arguments(add(verbs, verb.name, verb.help, verb.examples, verb.run))
    return parser


if __name__ == "__main__":
    sys.exit(main())
