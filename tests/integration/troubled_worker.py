"""A worker that meets trouble: `python -m tests.integration.troubled_worker TROUBLE ARGUMENT`.

poison VALUE    a row that begins with this value kills the child that scores it
gate FILE       a row is scored only once the file is there; meanwhile FILE.waits is
lock FILE       the first child to take a lock that it shares with its parent dies with it in hand
"""

import multiprocessing.synchronize
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from celery import signals

from worker import __main__ as worker


def poison(value: str) -> None:
    from model.bundle import Bundle

    score = Bundle.score

    def poisoned(bundle: Bundle, matrix: Any) -> Any:
        if (matrix[:, 0] == float(value)).any():
            os.kill(os.getpid(), signal.SIGKILL)
        return score(bundle, matrix)

    Bundle.score = poisoned  # type: ignore[method-assign, assignment]


def gate(file: str) -> None:
    from model.bundle import Bundle

    score = Bundle.score

    def gated(bundle: Bundle, matrix: Any) -> Any:
        if len(matrix) < len(bundle.manifest.golden.rows):
            Path(f"{file}.waits").touch()
            while not Path(file).exists():
                time.sleep(0.01)
        return score(bundle, matrix)

    Bundle.score = gated  # type: ignore[method-assign, assignment]


def lock(file: str) -> None:
    acquired = multiprocessing.synchronize.SemLock.__enter__

    def entered(held: Any) -> Any:
        result = acquired(held)
        if not Path(file).exists():
            Path(file).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    multiprocessing.synchronize.SemLock.__enter__ = entered  # type: ignore[method-assign]


TROUBLES = {"poison": poison, "gate": gate, "lock": lock}

if __name__ == "__main__":
    _, trouble, argument = sys.argv
    # In the child, as late as that: the parent never loads XGBoost.
    signals.worker_process_init.connect(lambda **_: TROUBLES[trouble](argument), weak=False)
    sys.argv = sys.argv[:1]
    sys.exit(worker.main())
