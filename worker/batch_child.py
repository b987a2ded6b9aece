"""A child of the worker for batches."""

from jobs import RELEASE
from jobs.batch_line import BatchLine
from jobs.broker import ring_for_batches
from jobs.capacity import Process
from jobs.connection import connect
from jobs.files import files_at
from worker.batch_steps import BatchSteps
from worker.batches import Batches
from worker.bundles import Bundles
from worker.child import Child, Work
from worker.lease import Leases


class BatchChild(Child):
    def _connect(self) -> None:
        self._batch_line = BatchLine(connect(self._settings, answer_seconds=5), self._settings)

    def _make_work(self, bundles: Bundles) -> Work:
        import pyarrow as pa

        pa.set_cpu_count(1)  # the children share the cores among themselves
        settings, line = self._settings, self._batch_line
        self._steps = BatchSteps(
            line,
            files_at(settings.files_place),
            self._metrics,
            ring=lambda bell: ring_for_batches(self._celery, bell),
            bells=settings.batch_children,
            most=settings.max_file,
        )
        leases = Leases(line, self.name, self._stopping)
        return Batches(line, bundles, self._steps, leases, self.name, self._stopping, settings.attempts)

    def _withdraw(self, bell: str) -> None:
        self._batch_line.withdraw(bell)

    def _live(self) -> None:
        self._batch_line.live(Process(self.name, RELEASE, self._steps.pace.rows_per_second))

    def _ring(self) -> None:
        for bell in self._batch_line.bells(most=1):
            ring_for_batches(self._celery, bell)
