"""The layouts of the tables of a batch: that of one file is in its record, those of several are files."""

import hashlib
from functools import lru_cache

from jobs.batches.inputs import PlannedFile, layout_of
from jobs.batches.tasks import BatchTask
from jobs.errors import FileMissing
from jobs.files.store import FileStore

NAME_LENGTH = 32


class Layouts:
    """A layout is named by its content: most files of a batch share one, and none is ever changed."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._read = lru_cache(maxsize=64)(files.read)

    def keep(self, task: BatchTask, layout: bytes) -> str:
        """Returns the name of the layout, which is a file from now on."""
        name = hashlib.sha256(layout).hexdigest()[:NAME_LENGTH]
        file = layout_of(task.id, task.options, name)
        try:
            self._read(file)
        except FileMissing:
            with self._files.create(file) as created:
                created.write(layout)
        return name

    def read(self, task: BatchTask, file: PlannedFile) -> bytes:
        return self._read(layout_of(task.id, task.options, file.layout))
