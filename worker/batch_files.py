"""The files of batches: the stores that have them, and their tables as they are planned."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from io import SEEK_END, RawIOBase

from jobs.batches.inputs import PlannedFile, layout_of
from jobs.batches.record import BatchOptions, FileRef, input_of, source_of
from jobs.batches.tasks import BatchTask
from jobs.errors import FileMissing
from jobs.files.location import files_of_caller
from jobs.files.store import FOR_WORKERS, FileStore
from jobs.files.tables import Format, added_names
from jobs.files.unpacking import unpacked_limit
from model.bundle import Bundle
from model.tables.dialect import Dialect
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk, CutText, EndlessRecord, Text, TextFile, TextStream, endless_record
from worker.tables.plan import Layout, Plan, TableRequest, go_on_with_text, plan_parquet, plan_text
from worker.tables.prepare import ReceivedFile, plain_pieces

LAYOUT_NAME_LENGTH = 32


class BatchFiles:
    """The files of batches: those in Paygrade's own store, and those that callers name in theirs."""

    def __init__(self, own: FileStore, s3_allow: str = "") -> None:
        self.own = own
        self._of_caller = lru_cache(maxsize=8)(partial(files_of_caller, s3_allow=s3_allow))
        self._read_layout = lru_cache(maxsize=64)(own.read)

    def find(self, file: FileRef) -> tuple[FileStore, str]:
        """The store of a file, and its name there. Raises FilesForbidden for what no caller may name."""
        if not file.folder:
            return self.own, file.name
        return self._of_caller(file.folder, file.name, version=file.version, size=file.size), file.name

    @contextmanager
    def open(self, file: FileRef) -> Iterator[tuple[RawIOBase, int]]:
        """The file to read, and its size in bytes."""
        files, name = self.find(file)
        with files.open(name) as opened:
            yield opened, opened.seek(0, SEEK_END)

    def size_and_version(self, file: FileRef) -> tuple[int, str]:
        """Those of a file that a caller named, as they are now. Raises FilesForbidden for another version."""
        return self._of_caller(file.folder, file.name, version=file.version).size_and_version(file.name)

    def find_chunk(self, task: BatchTask, chunk: Chunk) -> tuple[FileStore, str, Chunk]:
        """The store and the name of the file with a chunk, and where the chunk is in it."""
        if not task.options.has_plain_chunks:
            return *self.find(input_of(task.id, task.options)), chunk
        plain = input_of(task.id, task.options, chunk.start)
        return *self.find(plain), chunk._replace(start=0, end=chunk.end - chunk.start)

    def keep_layout(self, task: BatchTask, layout: bytes) -> str:
        """Keeps the layout of one of several files. Returns its name, which comes from its content.

        Most files of a batch share one, and none is ever changed. That of a single file is in its record.
        """
        name = hashlib.sha256(layout).hexdigest()[:LAYOUT_NAME_LENGTH]
        file = layout_of(task.id, task.options, name)
        try:
            self._read_layout(file)
        except FileMissing:
            with self.own.create(file) as created:
                created.write(layout)
        return name

    def read_layout(self, task: BatchTask, file: PlannedFile) -> bytes:
        return self._read_layout(layout_of(task.id, task.options, file.layout))


class PlannedTables:
    """Tables of files that a task names. `max_file` is the most bytes that an unpacked file may have."""

    def __init__(self, files: BatchFiles, max_file: int) -> None:
        self._files = files
        self._max_file = max_file

    @contextmanager
    def opened(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> Iterator[Plan]:
        """The plan, from the position on that the last checkpoint recorded."""

        def check() -> None:
            if not wanted():
                raise ScoringStopped

        request = _request_of(task.options, bundle)
        if request.input is Format.PARQUET:
            if task.options.needs_decoding:
                self._unpack(task, check)
            with self._files.open(input_of(task.id, task.options)) as (file, size):
                yield plan_parquet(file, size, request)
            return
        try:
            with self._text(task, check) as text:
                if task.planning:
                    layout = Layout.from_json(task.layout)
                    yield go_on_with_text(text, request, layout, int(task.planning))
                else:
                    yield plan_text(text, request)
        except EndlessRecord as error:
            with self._text(task, check) as text:
                raise endless_record(text, error.offset) from None

    def keep(self, task: BatchTask, cut: CutText) -> Chunk:
        """Writes the text of a chunk to a file of its own, where the input itself cannot be scored."""
        if task.options.has_plain_chunks:
            with self._files.own.create(input_of(task.id, task.options, cut.chunk.start).name) as file:
                file.write(cut.text)
        return cut.chunk

    def sent_bytes(self, task: BatchTask) -> int:
        """The size of the file as it was sent."""
        if task.file:
            return task.file.size
        files, name = self._files.find(source_of(task.id, task.options))
        return files.size(name)

    @contextmanager
    def _text(self, task: BatchTask, check: Callable[[], None]) -> Iterator[Text]:
        if task.options.needs_decoding:
            yield TextStream(self._plain_pieces(task, check))
            return
        with self._files.open(source_of(task.id, task.options)) as (file, size):
            yield TextFile(file, size, check)

    def _unpack(self, task: BatchTask, check: Callable[[], None]) -> None:
        with self._files.own.create(input_of(task.id, task.options).name) as unpacked:
            for piece in self._plain_pieces(task, check):
                unpacked.write(piece)

    def _plain_pieces(self, task: BatchTask, check: Callable[[], None]) -> Iterator[bytes]:
        files, name = self._files.find(source_of(task.id, task.options))
        self._files.own.check_room(FOR_WORKERS)
        encoding = None if task.options.input is Format.PARQUET else task.options.encoding
        limit = min(self._max_file, unpacked_limit(self.sent_bytes(task)))
        return plain_pieces(ReceivedFile(files, name, encoding), limit, check)


def _request_of(options: BatchOptions, bundle: Bundle) -> TableRequest:
    manifest = bundle.manifest
    return TableRequest(
        input=options.input,
        results=options.results,
        schema=manifest.schema,
        scored=added_names(manifest.columns[options.explain], manifest.warns, options.prefix),
        include_inputs=options.include_inputs,
        dialect=Dialect(options.delimiter, options.decimal),
        warns=manifest.warns,
        explain=options.explain,
        escapes=options.escape_formulas,
    )
