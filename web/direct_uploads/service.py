"""Begins uploads, shows what is still to come, and opens those that are complete. Knows nothing of HTTP."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, NoReturn

from jobs import ids
from jobs.batches.upload import DirectUpload, file_of
from jobs.batches.upload_store import KnownUpload, UploadStore
from jobs.errors import FileMissing, FilesDiffer, JobsError, QueueFull, StoreUnavailable
from jobs.files.direct import DirectFiles, FilePart, SignedAddresses
from jobs.files.store import FileStore
from jobs.queues.names import BATCH
from web.capacity_watch import CapacityWatch
from web.errors import (
    FileTooLong,
    NoDirectUploads,
    QueueNotServed,
    UnknownUpload,
    UploadDiffers,
    UploadIncomplete,
)

MOST_SIGNED = 100
"""Parts whose addresses one answer has; a caller asks again for the next."""
_MOST_NAMED = 10


class UploadRequest(NamedTuple):
    """`media_type` and `name` may be empty; `crc32` is that of the whole file."""

    size: int
    media_type: str
    name: str
    crc32: int | None


class UploadState(NamedTuple):
    """`missing` are the parts that have not arrived; the first of them have an address."""

    upload: DirectUpload
    expires: int
    missing: Sequence[FilePart]
    signed: SignedAddresses


class DirectUploads:
    """Every method raises FilesUnavailable and StoreUnavailable, and NoDirectUploads where they are off.

    `is_used` tells whether there is a batch with this id.
    """

    def __init__(
        self,
        store: UploadStore,
        files: FileStore,
        watch: CapacityWatch,
        max_file: int,
        on: bool,
        is_used: Callable[[str], bool],
        new_id: Callable[[str], str] = ids.new_id,
    ) -> None:
        self._store = store
        self._files = files
        self._watch = watch
        self._max_file = max_file
        self._on = on
        self._is_used = is_used
        self._new_id = new_id

    @property
    def direct(self) -> DirectFiles:
        direct = self._files.direct if self._on else None
        if direct is None:
            raise NoDirectUploads
        return direct

    def begin(self, request: UploadRequest, owner: str) -> UploadState:
        """Raises FileTooLong, QueueNotServed, TooManyUploads or QueueFull."""
        direct = self.direct
        if request.size > self._max_file:
            raise FileTooLong(self._max_file)
        if BATCH.name not in self._watch.served:
            raise QueueNotServed(BATCH)
        if not self._watch.accepting:
            raise self._watch.set_retry_after(QueueFull())
        upload_id = self._new_id(ids.UPLOAD)
        handle = direct.begin(file_of(upload_id), checked=request.crc32 is not None)
        upload = DirectUpload(upload_id, owner, *request, handle)
        try:
            self._store.add(upload)
        except JobsError:
            with suppress(JobsError):  # the sweeper drops it later
                direct.abort(upload.file, handle)
            raise
        return self.show(upload_id, owner)

    def show(self, upload_id: str, owner: str) -> UploadState:
        """With new addresses for parts that have not arrived. Raises UnknownUpload."""
        direct, (upload, expires) = self.direct, self._read(upload_id, owner)
        missing = self._missing(direct, upload)
        return UploadState(
            upload, expires, missing, direct.sign(upload.file, upload.handle, missing[:MOST_SIGNED])
        )

    def drop(self, upload_id: str, owner: str) -> None:
        """Removes the file, unless a batch has taken it. Raises UnknownUpload."""
        direct, (upload, _) = self.direct, self._read(upload_id, owner)
        direct.abort(upload.file, upload.handle)
        if not self._is_used(upload.batch_id):
            self._files.remove_file(upload.file)
        self._store.remove(upload)

    def complete(self, upload_id: str, owner: str) -> DirectUpload:
        """Makes the parts a file, if that was not done yet, and checks it.

        Raises UnknownUpload, UploadIncomplete or UploadDiffers.
        """
        direct, (upload, _) = self.direct, self._read(upload_id, owner)
        if missing := self._missing(direct, upload):
            raise UploadIncomplete(_description(missing, len(upload.parts)))
        try:
            if not self._is_complete(upload):
                direct.finish(upload.file, upload.handle, upload.crc32)
            size = self._files.size(upload.file)
        except FilesDiffer:
            self._refuse(upload, f"the file that arrived has another CRC-32 than {upload.crc32:08x}")
        except FileMissing:
            raise UnknownUpload("the file of this upload is gone; begin a new upload") from None
        if size != upload.size:
            self._refuse(upload, f"the file that arrived has {size} bytes, and not {upload.size}")
        return upload

    def start_of(self, upload: DirectUpload, size: int) -> bytes:
        """The first bytes of a complete upload."""
        return b"".join(self._files.pieces(upload.file, 0, min(size, upload.size)))

    def note_used(self, upload: DirectUpload) -> None:
        """Its batch is accepted, whatever becomes of this note."""
        with suppress(StoreUnavailable):
            self._store.note_used(upload)

    def _read(self, upload_id: str, owner: str) -> KnownUpload:
        known = self._store.read(upload_id) if ids.is_id(upload_id, ids.UPLOAD) else None
        if known is None or known.upload.owner != owner:
            raise UnknownUpload
        return known

    def _missing(self, direct: DirectFiles, upload: DirectUpload) -> list[FilePart]:
        try:
            arrived = direct.arrived(upload.file, upload.handle)
        except FileMissing:  # it is complete; or it was dropped, which its size tells
            return []
        return [part for part in upload.parts if arrived.get(part.number) != part.size]

    def _is_complete(self, upload: DirectUpload) -> bool:
        try:
            self._files.size(upload.file)
        except FileMissing:
            return False
        return True

    def _refuse(self, upload: DirectUpload, found: str) -> NoReturn:
        self._files.remove_file(upload.file)
        self.direct.abort(upload.file, upload.handle)
        self._store.remove(upload)
        raise UploadDiffers(f"{found}; it was not accepted, so begin a new upload and send it again")


def _description(missing: Sequence[FilePart], all_parts: int) -> str:
    numbers = ", ".join(str(part.number) for part in missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if missing[_MOST_NAMED:] else ""
    return (
        f"of the {all_parts} parts of this upload, {len(missing)} have not arrived: {numbers}{more}; "
        "put them, then post again"
    )
