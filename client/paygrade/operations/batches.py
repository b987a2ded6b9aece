"""Batches: files that are scored, their results and their errors, and rows that are tried again."""

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypedDict, Unpack, cast

from paygrade.addresses import is_address, names_several, path_below
from paygrade.calling.caller import Caller
from paygrade.calling.requests import IDEMPOTENCY_KEY, Content, HttpRequest, as_json, post, post_json
from paygrade.errors import InvalidInput, InvalidRequest, JobFailed, JobUnfinished, PaygradeError
from paygrade.files import OnSent, PathOrFile, SentFile, destination_of
from paygrade.formats import MEDIA_TYPES, is_gzip, media_type_of
from paygrade.lines import csv_rows, whole_lines
from paygrade.operations.failed_rows import OnFailed, sentence_of, tell_of
from paygrade.operations.jobs import JobRef, follow, get_job
from paygrade.operations.uploads import is_long, upload_directly
from paygrade.progress import ProgressLine, progress_line
from paygrade.resources import PATHS, BatchManifest, Job, Resource, Row, id_of, path_of
from paygrade.values import plain_row

FILE_SECONDS = 50.0
"""How much longer than another request the transfer of a file may pause."""
TRANSFER_SECONDS = 300.0
"""How long the transfer of a file that broke off is tried again."""
TOO_LARGE = 413
FIRST_ERRORS = 4096
"""Bytes of the errors that are enough for the first of them."""

Corrected: TypeAlias = PathOrFile | Iterable[Mapping[str, Any]]


class FileOptions(TypedDict, total=False):
    """What is posted with a file.

    `format` and `results` are csv, ndjson or parquet: by default what the name or the first bytes say.

    `model` is `name`, `name@version` or `name@alias`. `delimiter`, `decimal` and `encoding` are those of the
    file, if the service does not find them; `missing` are texts for missing values, as in `NA,?`. `prefix` is
    for the columns that results add, `include_inputs` adds the features to them, `explain` what each feature
    contributes. With `error_inputs` the errors have each failed row, to be corrected and sent to `retry`.
    `escape_formulas` is for CSV results. `webhook` is an https address that is told when the batch has ended,
    and a batch that has not started after `cancel_after`, as in `30s`, expires.
    """

    format: str | None
    model: str | None
    results: str | None
    explain: bool
    include_inputs: bool
    prefix: str | None
    delimiter: str | None
    decimal: str | None
    encoding: str | None
    missing: str | None
    error_inputs: bool
    escape_formulas: bool
    webhook: str | None
    cancel_after: str | None
    idempotency_key: str | None


IN_HEADERS = ("format", "cancel_after", "idempotency_key")


async def upload(
    caller: Caller,
    file: PathOrFile,
    *,
    to: str | None = None,
    on_sent: OnSent = lambda sent, size: None,
    timeout: float = TRANSFER_SECONDS,
    **options: Unpack[FileOptions],
) -> Job:
    """Posts a file as a batch, and returns its job.

    A long one is put into the file store of the service, in parts, where that is possible; a part that does
    not arrive is sent again. If an answer is lost, or the service takes no file for the moment, the same job
    is posted again, until `timeout` seconds; an open file only if it can be read again from where it was. The
    service itself reads what an address in S3 names: a file, or several as a prefix (`s3://bucket/in/`), a
    glob or a manifest. Only then it writes the results `to` an address in S3.
    """
    if isinstance(file, str) and is_address(file):
        return await _post_address(caller, file, to, timeout, options)
    if to is not None:
        raise InvalidInput("results go to an address only if the file is at one")
    sent = SentFile(file, on_sent)
    headers = _headers_of(sent.name, options)
    if sent.size is not None:
        headers["Content-Length"] = str(sent.size)
    if is_long(sent) and (job := await upload_directly(caller, sent, headers, posted(options), timeout)):
        return job
    try:
        return await post_table(caller, sent.content(), headers, options, timeout, sent.repeatable)
    except InvalidRequest as refusal:
        if refusal.status != TOO_LARGE or is_long(sent) or not sent.repeatable:
            raise
        job = await upload_directly(caller, sent, headers, posted(options), timeout)
        if job is None:
            raise
        return job


async def _post_address(
    caller: Caller, address: str, to: str | None, timeout: float, options: FileOptions
) -> Job:
    if options.get("format") is not None:
        raise InvalidInput("the format of a file at an address follows from its name; give no format")
    named = {name: value for name, value in options.items() if name not in IN_HEADERS and value is not None}
    body = {"input": address, **named, **({} if to is None else {"output": to})}
    headers = {name: value for name, value in _headers_of("", options).items() if name != "Content-Type"}
    request = replace(
        post_json(PATHS["batch"], body, headers), pause=FILE_SECONDS
    )  # to list files takes long
    return cast(Job, await caller.ask(request, timeout))


async def post_table(
    caller: Caller,
    content: Content,
    headers: Mapping[str, str],
    options: FileOptions,
    timeout: float = TRANSFER_SECONDS,
    repeatable: bool = True,
) -> Job:
    params = {name: "true" if value is True else str(value) for name, value in posted(options).items()}
    request = post(PATHS["batch"], headers, content, params=params, pause=FILE_SECONDS, repeatable=repeatable)
    return cast(Job, await caller.ask(request, timeout))


def posted(options: FileOptions) -> Resource:
    """The options that are given and stand in no header."""
    return {
        name: value
        for name, value in options.items()
        if name not in IN_HEADERS and value is not None and value is not False
    }


async def score_file(
    caller: Caller,
    file: PathOrFile,
    output: str | Path | BinaryIO | Callable[[bytes], object] | None = None,
    *,
    timeout: float | None = None,
    progress: bool | None = None,
    on_failed: OnFailed = "warn",
    **options: Unpack[FileOptions],
) -> Job:
    """Scores a file, and writes its results to `output`: a line for each row of the file, in its order.

    The file and the output may be addresses in S3. Of several files, which a prefix, a glob or a manifest
    names, the output is a folder: results, errors and `manifest.json` are written into it.

    Returns the job once it has ended; without `output`, `results` and `errors` have what came out. Raises
    JobFailed if no row was scored, and JobUnfinished after `timeout` seconds: the batch then continues. Where
    single rows fail, `on_failed` says whether to `warn`, to `raise` RowsFailed, or to `ignore` it. A terminal
    or a notebook shows the progress, unless `progress` is False.
    """
    to = output if isinstance(output, str) and is_address(output) else None
    if names_several(file) and not (output is None or isinstance(output, str | Path)):
        raise InvalidInput("the results of several files need a folder, or an address in S3")
    with progress_line(progress) as line:
        job = await upload(caller, file, to=to, on_sent=line.sent, **options)
        job = await ended(caller, job, line, timeout)
        if isinstance(output, str | Path) and "files" in job and not to:
            await download_files(caller, job, Path(output), on_piece=line.received)
        elif output is not None and not to:
            await download(caller, job, output, on_piece=line.received)
    await _tell(caller, job, on_failed)
    return job


async def ended(caller: Caller, job: Job, line: ProgressLine, timeout: float | None) -> Job:
    """The batch once it has ended. Raises JobUnfinished, and JobFailed if it has no row."""
    until = None if timeout is None else caller.now() + timeout
    async for now in follow(caller, job):
        job = now
        line.batch(job)
        if until is not None and caller.now() > until and not job["finished_at"]:
            raise JobUnfinished(job)
    if not job["counts"]["failed"] + job["counts"]["succeeded"]:
        raise JobFailed(job)
    return job


async def download(
    caller: Caller,
    job: JobRef,
    output: str | Path | BinaryIO | Callable[[bytes], object],
    *,
    what: str = "results",
    file: int | None = None,
    first: int | None = None,
    on_piece: Callable[[bytes], object] = lambda piece: None,
) -> None:
    """Writes the results (or `what="errors"`) of a batch, or only their first bytes.

    Of several files, `file` is the number of one in the manifest; `what="manifest"` writes that.
    `output` is the name of a file, which appears when it is complete, an open file, or a function that is
    given each piece. What breaks off is taken up where it broke off.
    """
    destination = destination_of(output, id_of(job)[-8:])
    try:
        async with aclosing(_pieces(caller, job, what, first, file)) as pieces:
            async for piece in pieces:
                destination.write(piece)
                on_piece(piece)
        destination.done()
    finally:
        destination.close()


async def manifest(caller: Caller, job: JobRef) -> BatchManifest:
    """What became of each file of a batch of several, once it has ended."""
    return cast(BatchManifest, await caller.ask(HttpRequest("GET", f"{path_of(job)}/manifest")))


async def download_files(
    caller: Caller,
    job: JobRef,
    folder: str | Path,
    *,
    on_piece: Callable[[bytes], object] = lambda piece: None,
) -> None:
    """Writes the results and errors of each file of a batch into a folder, and its `manifest.json`.

    Their names continue those of the files: `2026/people.csv.result.csv` and `2026/people.csv.errors.ndjson`.
    """
    listed = await manifest(caller, job)
    for file in listed["files"]:
        for what, ending in (("results", f"result.{listed['results']}"), ("errors", "errors.ndjson")):
            if file.get(what):
                path = path_below(Path(folder), f"{file['name']}.{ending}")
                path.parent.mkdir(parents=True, exist_ok=True)
                await download(caller, job, path, what=what, file=file["file"], on_piece=on_piece)
    Path(folder).mkdir(parents=True, exist_ok=True)
    await download(caller, job, Path(folder, "manifest.json"), what="manifest", on_piece=on_piece)


async def results(caller: Caller, job: JobRef, file: int | None = None) -> AsyncGenerator[Row, None]:
    """Each row of the results, as it arrives: of NDJSON with its types, of CSV as texts.

    Of several files, `file` is the number of one. Parquet has no lines: `download` it.
    """
    batch = await get_job(caller, job) if isinstance(job, str) else job
    if batch.get("results") == "parquet":
        raise InvalidInput(f"the results of {id_of(job)} are Parquet, which has no lines; download them")
    lines = whole_lines(_pieces(caller, job, "results", None, file))
    async with aclosing(csv_rows(lines) if batch.get("results") == "csv" else _objects(lines)) as rows:
        async for row in rows:
            yield row


async def errors(caller: Caller, job: JobRef, file: int | None = None) -> AsyncGenerator[Row, None]:
    """Each row that failed: its number from 0 as `row`, its `errors`, and perhaps its `input`.

    Of several files, `file` is the number of one.
    """
    async with aclosing(_objects(whole_lines(_pieces(caller, job, "errors", None, file)))) as rows:
        async for row in rows:
            yield row


async def retry(
    caller: Caller,
    job: JobRef,
    corrected: Corrected | None = None,
    *,
    timeout: float = TRANSFER_SECONDS,
    idempotency_key: str | None = None,
) -> Job:
    """A new batch that scores the failed rows again; what was scored keeps its scores.

    `corrected` are rows of `errors`, in their order, each with a corrected `input`: as mappings, or as an
    NDJSON file. Raises Conflict for a batch that has no failed rows.
    """
    headers = {} if idempotency_key is None else {IDEMPOTENCY_KEY: idempotency_key}
    content, repeatable = _corrections(corrected)
    if corrected is not None:
        headers["Content-Type"] = MEDIA_TYPES["ndjson"]
    request = post(f"{path_of(job)}/retry", headers, content, pause=FILE_SECONDS, repeatable=repeatable)
    return cast(Job, await caller.ask(request, timeout))


def _corrections(corrected: Corrected | None) -> tuple[Content, bool]:
    """What is sent, and whether it can be sent twice."""
    if corrected is None:
        return b"", True
    if isinstance(corrected, str | Path) or hasattr(corrected, "read"):
        file = SentFile(cast(PathOrFile, corrected), lambda sent, size: None)
        return file.content(), file.repeatable
    rows = ({"row": each["row"], "input": plain_row(each["input"])} for each in corrected)
    return b"".join(as_json(row) + b"\n" for row in rows), True


async def _tell(caller: Caller, job: Job, on_failed: OnFailed) -> None:
    counts = job["counts"]
    failed = (counts["total"] or counts["failed"]) - counts["succeeded"]
    if failed and on_failed != "ignore":
        first = "; ".join((await first_errors(caller, job))[:1])
        tell_of(failed, failed + counts["succeeded"], first, job, on_failed)


async def first_errors(caller: Caller, job: JobRef) -> list[str]:
    """The first rows that failed, each with its faults in a sentence; none if they cannot be had.

    The rows of a batch count from 1 here. Of several files they are those of the first with such rows.
    """
    start = bytearray()
    with suppress(PaygradeError):
        file = await _first_with_errors(caller, job)
        await download(caller, job, start.extend, what="errors", file=file, first=FIRST_ERRORS)
    rows = [json.loads(line) for line in start.splitlines(keepends=True) if line[-1:] == b"\n"]
    return [sentence_of(row["row"], "; ".join(map(_fault, row["errors"])).strip()) for row in rows]


async def _first_with_errors(caller: Caller, job: JobRef) -> int | None:
    """Of several files, the number of the first with rows that failed."""
    if isinstance(job, str) or "files" not in job:
        return None
    files = (await manifest(caller, job))["files"]
    return next((file["file"] for file in files if file["errors"]), None)


def _fault(fault: Mapping[str, str]) -> str:
    return f"{fault['pointer'].lstrip('/')} {fault['detail']}"


def _pieces(
    caller: Caller, job: JobRef, what: str, first: int | None, file: int | None = None
) -> AsyncGenerator[bytes, None]:
    params = {} if file is None else {"file": str(file)}
    return caller.download(f"{path_of(job)}/{what}", params, first, TRANSFER_SECONDS, FILE_SECONDS)


async def _objects(lines: AsyncGenerator[bytes, None]) -> AsyncGenerator[Row, None]:
    async with aclosing(lines):
        async for line in lines:
            yield json.loads(line)


def _headers_of(name: str, options: FileOptions) -> dict[str, str]:
    format_ = options.get("format")
    if format_ is not None and format_ not in MEDIA_TYPES:
        raise InvalidInput(f"format must be one of {', '.join(MEDIA_TYPES)}, not {format_!r}")
    headers = {"Content-Type": MEDIA_TYPES[format_] if format_ else media_type_of(name)}
    if is_gzip(name):
        headers["Content-Encoding"] = "gzip"
    named = {"Cancel-After": options.get("cancel_after"), IDEMPOTENCY_KEY: options.get("idempotency_key")}
    return headers | {header: value for header, value in named.items() if value is not None}
