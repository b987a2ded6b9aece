"""Scores a chunk of a retry: copies the part in which no row failed, and mends the others."""

import logging
from collections.abc import Callable, Mapping

from jobs.batches.record import corrected_of, part_of
from jobs.batches.tasks import BatchTask, ChunkDone
from jobs.errors import FileMissing
from jobs.files.store import FileStore
from worker.tables.chunks import Part
from worker.tables.mend import Mend, PartDiffers, read_corrected, read_mend

log = logging.getLogger(__name__)


def score_retried(task: BatchTask, kept: ChunkDone, files: FileStore, score: Callable[..., Part]) -> Part:
    """`kept` is what the batch that is tried again has recorded of the chunk.

    If its part is not as it was recorded, the whole chunk is scored.
    """
    number = int(task.task)
    old = part_of(task.options.kept_from, number)
    corrected = _corrected(files, corrected_of(task.id, number)) if kept.failed else {}
    try:
        if not kept.failed:
            return _copied(files, old, part_of(task.id, number), kept)
        return score(mend=read_mend(files, old, kept, corrected))
    except (PartDiffers, FileMissing):
        log.warning("kept_part_differs", extra={"job_id": task.id, "chunk": number})
        return score(mend=Mend(None, None, corrected))


def _copied(files: FileStore, old: str, part: str, kept: ChunkDone) -> Part:
    size = 0
    with files.create(part) as file:
        for piece in files.pieces(old):
            file.write(piece)
            size += len(piece)
        if size != kept.size:
            raise PartDiffers
    return Part(kept.rows, 0, size, 0)


def _corrected(files: FileStore, name: str) -> Mapping[int, bytes]:
    try:
        return read_corrected(files, name)
    except FileMissing:
        return {}
