"""python -m worker: scores what waits in the line."""

import argparse
import sys

from jobs.errors import InvalidSettings
from jobs.logs import log_to_stderr
from jobs.settings import load_settings
from worker.app import Worker
from worker.child_worker import MINDED, ChildWorker, end_with_minder


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m worker",
        description="Starts a worker: it takes predictions and batches from their lines and scores them.",
        epilog="All settings come from the environment (see .env.example). "
        "Example: PAYGRADE_CHILDREN=2 REDIS_URL=redis://127.0.0.1:6379/0 python -m worker",
    )
    parser.add_argument(MINDED, action="store_true", help=argparse.SUPPRESS)
    minded = parser.parse_args().minded
    try:
        settings = load_settings()
        settings.data.mkdir(parents=True, exist_ok=True)
    except (InvalidSettings, OSError) as error:
        print(f"worker: {error}", file=sys.stderr)
        return 2
    journal = log_to_stderr(settings.log_level)
    first, *others = settings.queues.split(",")
    if minded:
        end_with_minder()
    with ChildWorker(others[0] if others else None) as second:
        return Worker(settings, journal, first, when_stopping=second.stop).run()


if __name__ == "__main__":
    sys.exit(main())
