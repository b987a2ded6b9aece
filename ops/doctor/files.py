"""Whether the file store of batches has room."""

from collections.abc import Iterator

from jobs.errors import FilesFull, FilesUnavailable
from jobs.files.store import FOR_UPLOADS, FileStore
from ops.doctor.finding import Finding, fault, ok

GIB = 1024**3


def look(files: FileStore) -> Iterator[Finding]:
    try:
        disk = files.disk()
        if disk is None:
            return
        room = f"{disk.free / GIB:.1f} of {disk.total / GIB:.1f} GiB free"
        files.check_room(FOR_UPLOADS)
    except FilesFull:
        yield fault("files", f"{room}: web refuses batches; delete what is not needed, or grow the disk")
    except FilesUnavailable as error:
        yield fault("files", f"{error}; check PAYGRADE_FILES")
    else:
        yield ok("files", room)
