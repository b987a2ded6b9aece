"""python -m worker: scores what waits in the line."""

import argparse
import sys

from jobs.errors import BadSettings
from jobs.logs import log_to_stderr
from jobs.settings import load_settings
from worker.app import Worker


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m worker",
        description="Starts a worker: it claims predictions from the line, scores and records them.",
        epilog="All settings come from the environment (see .env.example). "
        "Example: PAYGRADE_CHILDREN=2 REDIS_URL=redis://127.0.0.1:6379/0 python -m worker",
    ).parse_args()
    try:
        settings = load_settings()
        settings.data.mkdir(parents=True, exist_ok=True)
    except (BadSettings, OSError) as error:
        print(f"worker: {error}", file=sys.stderr)
        return 2
    return Worker(settings, log_to_stderr(settings.log_level)).run()


if __name__ == "__main__":
    sys.exit(main())
