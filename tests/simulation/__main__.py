"""`python -m tests.simulation --seeds 300`, or `--seed 17` to replay one seed and shrink it."""

import argparse
import os
import sys

from tests.simulation.simulation import Plan, run, shrunk


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=300, help="how many to run (default: 300)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: 0)")
    parser.add_argument("--seed", type=int, help="replay this one alone, with its trace")
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of the order of a run
        os.execve(  # noqa: S606
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    if options.seed is not None:
        return _replay(options.seed, options.trace)
    failed, accepted, calls = 0, 0, 0
    for seed in range(options.first, options.first + options.seeds):
        report = run(Plan.of(seed))
        accepted, calls = accepted + report.accepted, calls + report.calls
        if report.broken:
            failed += 1
            print(f"seed {seed}: {'; '.join(report.broken[:3])}")
    print(f"{options.seeds} seeds, {accepted} jobs accepted, {calls} calls, {failed} seeds broken")
    return 1 if failed else 0


def _replay(seed: int, trace: bool) -> int:
    plan = Plan.of(seed)
    report = run(plan)
    if report.broken:
        plan = shrunk(plan)
        report = run(plan)
    if trace:
        print("\n".join(report.trace))
    print(plan)
    print(f"accepted {report.accepted}, calls {report.calls}, {report.seconds:.0f} s, digest {report.digest}")
    print("\n".join([*report.faults, *report.broken]) or "all promises held")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
