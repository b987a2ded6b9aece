"""What `python -m worker` does: checks the settings, and runs the workers of its queues."""

import argparse
import logging
import sys

from jobs.errors import InvalidSettings
from jobs.files.privacy import make_private
from jobs.files.store import MIB
from jobs.logs import log_to_stderr
from jobs.metrics import Metrics
from jobs.queues.connection import connect
from jobs.settings import load_settings
from jobs.supervision import Supervisor
from jobs.tracing import check_tracing
from worker.app import Worker
from worker.child_worker import ATTACHED, ChildWorker, end_with_parent
from worker.limits import least_memory, memory_of_machine
from worker.roles import ROLES, missing_package

log = logging.getLogger(__name__)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m worker",
        description="Starts a worker: it claims predictions and batches and scores them.",
        epilog="All settings come from the environment (see .env.example). "
        "Example: PAYGRADE_CHILDREN=2 REDIS_URL=redis://127.0.0.1:6379/0 python -m worker",
    )
    parser.add_argument(ATTACHED, action="store_true", help=argparse.SUPPRESS)
    attached = parser.parse_args().attached
    try:
        settings = load_settings()
        make_private(settings.data)
        check_tracing(settings.otlp_endpoint)
        queues = settings.queues.split(",")
        if missing := missing_package(queues):
            raise InvalidSettings(missing)
    except (InvalidSettings, OSError) as error:
        print(f"worker: {error}", file=sys.stderr)
        return 2
    journal = log_to_stderr(settings.log_level)
    first, *others = queues
    if attached:
        end_with_parent()
    elif (needed := least_memory(settings)) > (there := memory_of_machine()):
        log.warning("memory_short", extra={"needed_mib": needed // MIB, "mib": there // MIB})
    supervisor = Supervisor(Metrics(connect(settings)))
    second = others[0] if others else None
    with ChildWorker(second, ROLES[second].niceness if second else 0, supervisor) as child_worker:
        return Worker(settings, journal, ROLES[first], supervisor, when_stopping=child_worker.stop).run()
