"""python -m jobs: asks about jobs, and for scores."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from jobs.cli import cancel, capacity, delete, doctor, list_jobs, score, show, watch
from jobs.cli.errors import NotSo
from jobs.errors import JobsError
from jobs.settings import load_settings

VERBS: dict[str, Any] = {
    "score": score,
    "show": show,
    "list": list_jobs,
    "cancel": cancel,
    "delete": delete,
    "capacity": capacity,
    "watch": watch,
    "doctor": doctor,
}
EPILOG = """\
Each command has --help with examples. Jobs are asked for over HTTP, at --url, with the key that
PAYGRADE_KEY or --key-file has; those who run Paygrade may ask Redis instead, with --redis.

exit status:
  0  done
  1  what was asked for is not so: a job failed or is not there, doctor found a fault
  2  it cannot be asked: bad arguments or settings, a wrong key, nobody answers
"""


def main(given: Sequence[str] | None = None) -> int:
    """Run one command and answer with its exit status."""
    try:
        try:
            options = _parser().parse_args(given)
            return int(VERBS[options.verb].run(options, load_settings()))
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except NotSo as error:
        return _complain(error, 1)
    except JobsError as error:
        return _complain(error, 2)
    except BrokenPipeError:  # whoever reads has read enough
        _write_no_more()
        return 0
    except OSError as error:
        _write_no_more()
        return _complain(error.strerror or error, 2)
    except KeyboardInterrupt:
        return 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would say all that may be given."""
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def _complain(error: object, status: int) -> int:
    print(f"jobs: {error}", file=sys.stderr)
    return status


def _write_no_more() -> None:
    """Or Python would try once more at its end, and say so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON, an object a line")
    parser = _Parser(
        prog="python -m jobs",
        description="Asks about jobs, and for scores.",
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="command")
    for name, verb in VERBS.items():
        each = verbs.add_parser(
            name,
            parents=[common],
            help=verb.HELP,
            description=verb.__doc__,
            epilog=f"examples:\n{verb.EXAMPLES}",
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb.arguments(each)
    return parser


if __name__ == "__main__":
    sys.exit(main())
