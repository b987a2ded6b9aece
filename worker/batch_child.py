"""A child of the worker for batches."""

from jobs import RELEASE
from jobs.batches.consumer import BatchConsumer
from jobs.broker import send_batch_wake_up
from jobs.connection import connect
from jobs.files.store import files_at
from jobs.queues.capacity import Process
from worker.batch_steps import BatchSteps
from worker.batches import BatchLoop
from worker.bundles import Bundles
from worker.child import Child, Work
from worker.lease import Leases


class BatchChild(Child):
    def _connect(self) -> None:
        self._batch_line = BatchConsumer(connect(self._settings, answer_seconds=5), self._settings)

    def _make_work(self, bundles: Bundles) -> Work:
        import pyarrow as pa

        pa.set_cpu_count(1)  # the children share the cores among themselves
        settings, line = self._settings, self._batch_line
        self._steps = BatchSteps(
            line,
            files_at(settings.files_place),
            self._metrics,
            ring=lambda wake_up: send_batch_wake_up(self._celery, wake_up),
            wake_ups=settings.batch_children,
            most=settings.max_file,
        )
        leases = Leases(line, self.name, self._stopping)
        return BatchLoop(line, bundles, self._steps, leases, self.name, self._stopping, settings.attempts)

    def _withdraw(self, wake_up: str) -> None:
        self._batch_line.withdraw(wake_up)

    def _live(self) -> None:
        self._batch_line.live(Process(self.name, RELEASE, self._steps.pace.rows_per_second))

    def _ring(self) -> None:
        for wake_up in self._batch_line.wake_ups(most=1):
            send_batch_wake_up(self._celery, wake_up)
