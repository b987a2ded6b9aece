"""Tables of any length: their rows become a batch, and its results columns of the table."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import TypeVar

from paygrade.calling.caller import Caller
from paygrade.calling.requests import as_json
from paygrade.errors import InvalidInput, InvalidRequest, JobFailed, PaygradeError
from paygrade.files import SentFile
from paygrade.formats import MEDIA_TYPES
from paygrade.operations.batches import (
    TOO_LARGE,
    TRANSFER_SECONDS,
    FileOptions,
    ended,
    post_table,
    posted,
    results,
)
from paygrade.operations.failed_rows import OnFailed, sentence_of, tell_of
from paygrade.operations.jobs import cancel
from paygrade.operations.service import model as model_of
from paygrade.operations.uploads import upload_directly
from paygrade.progress import ProgressLine, progress_line
from paygrade.resources import Job, Model
from paygrade.tables.columns import ALWAYS_THERE, GrowingColumns, ScoreColumn
from paygrade.tables.frames import Frame, frame_of

TableT = TypeVar("TableT")

PIECE_ROWS = 2_000
"""Rows that are sent together."""


async def score(
    caller: Caller,
    table: TableT,
    *,
    model: str | None = None,
    explain: bool = False,
    prefix: str = "",
    on_failed: OnFailed = "warn",
    timeout: float | None = None,
    progress: bool | None = None,
) -> TableT:
    """Scores a DataFrame of pandas or polars of any length, as a batch.

    Returns a new one with the same index, rows and columns, and the columns of the scores, each after
    `prefix`: `prediction` and what else the model gives, `warnings`, and `error`. Only columns that are
    features are sent. A row that cannot be scored has its reason in `error`, and no score; `on_failed` says
    whether to `warn` of that, to `raise` RowsFailed, or to `ignore` it. Raises JobFailed if the batch cannot
    be scored, and JobUnfinished after `timeout` seconds. Whoever interrupts it cancels the batch. A terminal
    or a notebook shows the progress, unless `progress` is False.
    """
    frame = frame_of(table)
    if frame is None:
        raise InvalidInput(f"score takes a DataFrame of pandas or polars, not {type(table).__name__}")
    frame.check_free(prefix + name for name in ALWAYS_THERE)
    served = await model_of(caller, model)
    features = frame.features_of(served)
    with progress_line(progress) as line:
        job = await _post(caller, frame, features, served, explain, line) if len(frame) else None
        columns = await _columns(caller, job, len(frame), served, line, timeout)
    scored: TableT = frame.with_columns({prefix + name: column for name, column in columns.items()})
    failed = [(at, error) for at, error in enumerate(columns["error"].values) if error is not None]
    first = sentence_of(*failed[0]) if failed else ""
    tell_of(len(failed), len(frame), first, scored, on_failed)
    return scored


async def _post(
    caller: Caller, frame: Frame, features: Sequence[str], served: Model, explain: bool, line: ProgressLine
) -> Job:
    options: FileOptions = {"model": f"{served['name']}@{served['version']}", "explain": explain}
    headers = {"Content-Type": MEDIA_TYPES["ndjson"]}
    pieces = _pieces_of(frame, features, line)
    try:
        return await post_table(caller, pieces, headers, options)
    except InvalidRequest as refusal:
        if refusal.status != TOO_LARGE:
            raise
        with TemporaryFile() as written:
            await caller.beside(lambda: written.writelines(pieces()))
            written.seek(0)
            job = await upload_directly(
                caller, SentFile(written, line.sent), headers, posted(options), TRANSFER_SECONDS
            )
        if job is None:
            raise
        return job


def _pieces_of(frame: Frame, features: Sequence[str], line: ProgressLine) -> Callable[[], Iterator[bytes]]:
    """The rows as NDJSON, from the first one each time."""

    def pieces() -> Iterator[bytes]:
        lines: list[bytes] = []
        for number, row in enumerate(frame.rows(features), 1):
            lines.append(as_json(row))
            if len(lines) == PIECE_ROWS or number == len(frame):
                yield b"\n".join([*lines, b""])
                lines = []
                line.show("uploading", number / len(frame), f"{number:,} rows")

    return pieces


async def _columns(
    caller: Caller, job: Job | None, rows: int, served: Model, line: ProgressLine, timeout: float | None
) -> dict[str, ScoreColumn]:
    """Raises JobFailed if the results have not every row."""
    columns = GrowingColumns(rows, served["scores"])
    if job is None:
        return columns.columns()
    try:
        job = await ended(caller, job, line, timeout)
    except (KeyboardInterrupt, asyncio.CancelledError):
        await _canceled(caller, job)
        raise
    async for row in results(caller, job):
        columns.add(row)
        line.show("downloading", columns.added / rows, f"{columns.added:,} rows")
    if columns.added != rows:
        raise JobFailed(job)
    return columns.columns()


async def _canceled(caller: Caller, job: Job) -> None:
    """Whoever interrupts a call wants no batch; one that can no longer be canceled ends by itself."""
    try:
        await cancel(caller, job)
    except PaygradeError:
        return
