"""Joins the parts of several files, one after the other, and writes the manifest of the batch."""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from jobs.batches.inputs import (
    NOT_WRITTEN,
    JoinedFile,
    PlannedFile,
    manifest_of,
)
from jobs.batches.record import FileRef, output_of
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask, ChunkDone, file_and_chunk
from jobs.files.store import FileStore
from jobs.ids import model_of
from worker.batch_files import BatchFiles
from worker.joining import JoinCheckpoints, JoinedTable, Position, TableJoining, errors_of, parts_of
from worker.tables.cut import Chunk
from worker.tables.plan import Layout

SHA256 = "sha256:"


class FileChunks(NamedTuple):
    """One of several files: its number, its chunks by their numbers in the plan, and what came of them."""

    number: int
    file: PlannedFile
    chunks: list[tuple[int, Chunk]]
    done: dict[int, ChunkDone]
    error: bytes

    @property
    def rows(self) -> int:
        return sum(done.rows for done in self.done.values())

    @property
    def failed(self) -> int:
        return sum(done.failed for done in self.done.values())

    @property
    def status(self) -> BatchStatus:
        """As that of a batch with this file alone."""
        if self.error or (self.rows and self.rows == self.failed):
            return BatchStatus.FAILED
        if len(self.done) < len(self.chunks) or not self.chunks:
            return BatchStatus.CANCELED
        return BatchStatus.PARTIALLY_SUCCEEDED if self.failed else BatchStatus.SUCCEEDED


def chunks_by_file(task: BatchTask) -> list[FileChunks]:
    """The files that were planned, in order."""
    chunks: dict[int, list[tuple[int, Chunk]]] = {number: [] for number in sorted(task.files)}
    for number, planned in enumerate(task.plan):
        file, chunk = file_and_chunk(planned)
        if file is not None:
            chunks[file].append((number, Chunk.from_text(chunk)))
    return [
        FileChunks(
            number,
            task.files[number],
            of_file,
            {chunk: task.done[chunk] for chunk, _ in of_file if chunk in task.done},
            task.file_errors.get(number, b""),
        )
        for number, of_file in chunks.items()
    ]


class FilesJoining:
    def __init__(self, files: BatchFiles) -> None:
        self._tables = TableJoining(files)
        self._files = files

    def join(self, task: BatchTask, checkpoints: JoinCheckpoints) -> None:
        """Raises ScoringStopped once the task is no longer wanted, or is in other hands."""
        joined, files = dict(task.joined), chunks_by_file(task)
        for each in files:
            checkpoints.check()
            if each.done and each.number not in joined:
                checkpoints.begin(each.number)
                joined[each.number] = checkpoints.unsaved[each.number] = self._join(task, each, checkpoints)
                if checkpoints.is_due:
                    checkpoints.save(Position(checkpoints.position.parts, file=each.number + 1))
        for store, name in self._manifests(task):
            with store.create(name) as file:
                for piece in _manifest(task, files, joined):
                    file.write(piece)

    def _join(self, task: BatchTask, each: FileChunks, checkpoints: JoinCheckpoints) -> JoinedFile:
        of_file = task.of_file(each.number, each.file)
        layout = Layout.from_json(self._files.read_layout(task, each.file))
        errors = list(errors_of(task.id, each.chunks, each.done, bool(each.file.error)))
        table = JoinedTable(task.id, of_file.options, layout, parts_of(task.id, each.done), errors)
        joined = self._tables.join(table, checkpoints)
        if joined.tag:
            return joined
        result, errors_tag = self._digest(table, "result", checkpoints), ""
        if joined.errors_size != NOT_WRITTEN:
            errors_tag = self._digest(table, "errors", checkpoints)
        return joined._replace(tag=result, errors_tag=errors_tag)

    def _digest(self, table: JoinedTable, name: str, checkpoints: JoinCheckpoints) -> str:
        """In place of an ETag, which a directory gives to no file."""
        files, file = self._files.find(output_of(table.job_id, table.options, name))
        digest = hashlib.sha256()
        for piece in files.pieces(file):
            checkpoints.check()
            digest.update(piece)
        return f"{SHA256}{digest.hexdigest()}"

    def _manifests(self, task: BatchTask) -> Iterator[tuple[FileStore, str]]:
        """The one that web sends, and the one beside the results that the caller wants elsewhere."""
        yield self._files.own, manifest_of(task.id)
        if task.options.output:
            yield self._files.find(FileRef(f"{task.id}/manifest.json", task.options.output))


def _manifest(task: BatchTask, files: list[FileChunks], joined: dict[int, JoinedFile]) -> Iterator[bytes]:
    """A JSON object, with a line for each file."""
    rows, failed = sum(each.rows for each in files), sum(each.failed for each in files)
    head = {
        "object": "manifest",
        "id": task.id,
        "model": model_of(task.model, task.sha256),
        "input": task.options.source,
        "results": task.options.results,
        "counts": {
            "files": task.options.files,
            "failed_files": len(task.file_errors),
            "rows": rows,
            "succeeded": rows - failed,
            "failed": failed,
        },
    }
    yield orjson.dumps(head)[:-1] + b',"files":['
    for position, each in enumerate(files):
        line = orjson.dumps(_line(task, each, joined.get(each.number, JoinedFile())))
        yield (b",\n" if position else b"\n") + line
    yield b"\n]}\n"


def _line(task: BatchTask, each: FileChunks, joined: JoinedFile) -> dict[str, Any]:
    options = each.file.options(task.options, each.number)
    return {
        "file": each.number,
        "name": each.file.source.removeprefix(task.options.root),
        "input": each.file.source,
        "size": each.file.size,
        "etag": each.file.version,
        "status": each.status,
        "rows": each.rows,
        "succeeded": each.rows - each.failed,
        "failed": each.failed,
        "error": orjson.Fragment(each.error) if each.error else None,
        "results": _described(output_of(task.id, options, "result"), joined.size, joined.tag),
        "errors": _described(output_of(task.id, options, "errors"), joined.errors_size, joined.errors_tag),
    }


def _described(file: FileRef, size: int, tag: str) -> dict[str, Any] | None:
    if size == NOT_WRITTEN:
        return None
    address = {"address": f"{file.folder}/{file.name}"} if file.folder else {}
    digest = {"sha256": tag.removeprefix(SHA256)} if tag.startswith(SHA256) else {"etag": tag}
    return {**address, "size": size, **digest}
