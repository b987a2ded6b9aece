"""The command line: `python -m benchmarks`."""

import argparse
import signal
import sys

from benchmarks import report
from benchmarks.scenarios import ON_DEMAND, SCENARIOS
from benchmarks.session import Session
from benchmarks.wrk import require_wrk

EXAMPLES = """examples:
  python -m benchmarks                              everything, some ten minutes
  python -m benchmarks --only waited posted         these two
  python -m benchmarks --seconds 2 --runs 1         a quick look
  python -m benchmarks --only sustained             eleven minutes more
  make bench BENCH="--only lists"                   the same through make

Leave the machine alone meanwhile. A missed figure is printed as MISSED; only a wrong answer, a wrong status
or a server that does not start makes the exit status 1. The JSON is benchmarks/results/predictions.json."""


def main() -> int:
    """Run the scenarios one after the other, then print and save what they measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Paygrade against two services that score in process.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SCENARIOS,
        default=[name for name in SCENARIOS if name not in ON_DEMAND],
        metavar="SCENARIO",
        help=f"of {', '.join(SCENARIOS)}; default: all but {', '.join(sorted(ON_DEMAND))}",
    )
    parser.add_argument("--seconds", type=_positive, default=6, help="of each run (default: %(default)s)")
    parser.add_argument(
        "--runs", type=_positive, default=3, help="of which the median counts (default: %(default)s)"
    )
    options = parser.parse_args()
    for stop in (signal.SIGTERM, signal.SIGINT):
        # As an exception, so that the servers are ended on the way out.
        signal.signal(stop, lambda number, _: sys.exit(128 + number))
    require_wrk()
    session = Session(options.seconds, options.runs)
    for name in options.only:
        _measure(session, name)
    print(report.text(session))
    report.save(session)
    return 1 if session.failures else 0


def _measure(session: Session, name: str) -> None:
    try:
        SCENARIOS[name](session)
    except Exception as error:  # one broken scenario must not hide the figures of the others
        session.require(False, f"{name}: {type(error).__name__}: {error}")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
