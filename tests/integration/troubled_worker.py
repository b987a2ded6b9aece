"""A worker that meets trouble: `python -m tests.integration.troubled_worker TROUBLE ARGUMENT`.

poison VALUE    a row that begins with this value kills the child that scores it
gate FILE       a row is scored only once the file is there; meanwhile FILE.waits is
steps FOLDER    every step is recorded; a child dies after its first step of planning, and one of joining, and
                before parts are joined one is shortened and one removed; FOLDER/happened-… say so
pace ROWS       no more than so many rows are scored in a second
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

from worker import starting as worker


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


def pace(rows: str) -> None:
    from model.bundle import Bundle

    score = Bundle.score

    def paced(bundle: Bundle, matrix: Any) -> Any:
        time.sleep(len(matrix) / float(rows))
        return score(bundle, matrix)

    Bundle.score = paced  # type: ignore[method-assign, assignment]


def steps(folder: str) -> None:
    from jobs.batches.consumer import BatchConsumer
    from worker import joining, stopping

    def happens_first(name: str) -> bool:
        happened = Path(folder, f"happened-{name}")
        first = not happened.exists()
        happened.touch()
        return first

    def dying_after(name: str) -> Any:
        record = getattr(BatchConsumer, name)

        def record_and_die(*arguments: Any) -> Any:
            result = record(*arguments)
            if happens_first(name):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return record_and_die

    def join(self: joining.Joining, task: Any, wanted: Any) -> None:
        if happens_first("damaged"):
            parts = sorted(Path(self._files.own._root, "batches", task.id, "parts").iterdir())  # type: ignore[attr-defined]
            os.truncate(parts[0], parts[0].stat().st_size - 100)
            parts[1].unlink()
        join_whole(self, task, wanted)

    join_whole = joining.Joining.join
    joining.Joining.join = join  # type: ignore[method-assign]
    for name in ("planned", "joined"):
        setattr(BatchConsumer, name, dying_after(name))
    stopping.CHECKPOINT_SECONDS = 0


def lock(file: str) -> None:
    acquired = multiprocessing.synchronize.SemLock.__enter__

    def entered(held: Any) -> Any:
        result = acquired(held)
        if not Path(file).exists():
            Path(file).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    multiprocessing.synchronize.SemLock.__enter__ = entered  # type: ignore[method-assign]


TROUBLES = {"poison": poison, "gate": gate, "pace": pace, "steps": steps, "lock": lock}

if __name__ == "__main__":
    _, trouble, argument = sys.argv
    # In the child, as late as that: the parent never loads XGBoost.
    signals.worker_process_init.connect(lambda **_: TROUBLES[trouble](argument), weak=False)
    sys.argv = sys.argv[:1]
    sys.exit(worker.main())
