"""`python -m tests.chaos --seeds 3`, or `--seed 17` for one seed and its schedule of faults."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import HEADINGS, ChaosReport, run
from tests.chaos.schedule import Schedule


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many to run (default: 3)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: 0)")
    parser.add_argument("--seed", type=int, help="run this one alone, and show its faults")
    parser.add_argument("--seconds", type=float, default=45, help="how long faults happen (default: 45)")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    if options.seed is not None:
        seeds = range(options.seed, options.seed + 1)
        print(*Schedule.of(options.seed, options.seconds).faults, sep="\n")
    reports = [_run(Schedule.of(seed, options.seconds)) for seed in seeds]
    print(table([report.line() for report in reports]))
    return int(any(report.broken for report in reports))


def _run(schedule: Schedule) -> ChaosReport:
    folder = Path(tempfile.mkdtemp(prefix=f"paygrade-chaos-{schedule.seed}-"))
    report = run(schedule, folder)
    for promise, text in report.broken:
        print(f"seed {schedule.seed}: {promise}: {text}", file=sys.stderr)
    if report.broken:
        print(f"seed {schedule.seed}: the logs are in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return report


def table(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(HEADINGS, *lines, strict=True)]
    rows = [HEADINGS, *lines]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
