"""A file goes to Paygrade as a batch, and its results come back."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode
from uuid import uuid4

import orjson

from jobs.cli.api import Api
from jobs.cli.errors import AskLater, CannotAsk, NotSo
from jobs.cli.files import Service
from jobs.cli.progress import Progress, seconds
from jobs.files.tables import MEDIA_TYPES, Format, format_of

FIRST_ERRORS = 4096
"""Bytes of the errors by which the first of them are told."""
TOLD = 3
ALL_SCORED, SOME_FAILED, INTERRUPTED = 0, 1, 130
TRIES = 3
OF_FILES = ("output", "format", "results", "include_inputs", "prefix")
"""The options that rows on the command line do not take."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="where to write (standard output)")
    parser.add_argument("--format", choices=list(Format), help="of the file (by its ending, else csv)")
    parser.add_argument("--results", choices=list(Format), help="format of the results (the file's)")
    parser.add_argument("--include-inputs", action="store_true", help="put the features into the results too")
    parser.add_argument("--explain", action="store_true", help="what each feature adds to each score, too")
    parser.add_argument("--prefix", help="for the names of the columns that results add")


def run(options: argparse.Namespace, api: Api) -> int:
    """Returns the exit status. Raises CannotAsk, and NotSo if the batch ended without a row."""
    service = Service(api.url, api.headers)
    batch: dict[str, Any] = {}
    try:
        with Progress() as progress:
            batch = _post(service, options, progress)
            batch = _wait(service, batch, progress)
            _fetch(service, batch, options, progress)
        return _tell(service, batch)
    except KeyboardInterrupt:
        return _interrupted(service, batch)


def _post(service: Service, options: argparse.Namespace, progress: Progress) -> Any:
    """IdempotencyKey only, however often it is tried."""
    asked = {
        "model": options.model,
        "results": options.results,
        "include_inputs": "true" if options.include_inputs else None,
        "explain": "true" if options.explain else None,
        "prefix": options.prefix,
    }
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    kind = Format(options.format or format_of(options.file) or Format.CSV)
    headers = {"Content-Type": MEDIA_TYPES[kind], "Idempotency-Key": str(uuid4())}
    if options.file.lower().endswith(".gz"):
        headers["Content-Encoding"] = "gzip"
    for left in reversed(range(TRIES if options.file != "-" else 1)):
        with _opened(options.file) as (file, size):

            def watch(done: int, size: int | None = size) -> None:
                progress.show("sending", done / size if size else None, f"{done:,} bytes")

            try:
                return service.upload(f"/v1/batches?{query}", file, size, headers, watch)
            except AskLater as error:
                if not left:
                    raise
                time.sleep(error.seconds)
    raise AssertionError


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    if name == "-":
        yield sys.stdin.buffer, None
    else:
        with Path(name).open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size


def _wait(service: Service, batch: Any, progress: Progress) -> Any:
    started = time.monotonic()
    while not batch["finished_at"]:
        counts = batch["counts"]
        rows = counts["succeeded"] + counts["failed"]
        rate = rows / max(time.monotonic() - started, 0.1)
        said = f"{rows:,} rows, {rate:,.0f}/s, {counts['failed']:,} failed {seconds(batch['eta_seconds'])}"
        progress.show(batch["status"], batch["progress"], said)
        time.sleep(0.2)
        batch = service.ask("GET", f"{batch['urls']['self']}")
    return batch


def _fetch(service: Service, batch: Any, options: argparse.Namespace, progress: Progress) -> None:
    counts = batch["counts"]
    if not counts["failed"] + counts["succeeded"]:
        why = f": {batch['error']['detail']}" if batch["error"] else ""
        raise NotSo(f"{batch['id']} is {batch['status']}{why}")

    def watch(done: int) -> None:
        progress.show("fetching", None, f"{done:,} bytes")

    path = batch["urls"]["results"]
    if options.output is None:
        service.download(path, sys.stdout.buffer.write, watch)
        sys.stdout.buffer.flush()
        return
    draft = options.output.with_name(f".{options.output.name}-{batch['id'][-8:]}")
    try:
        with draft.open("wb") as file:
            service.download(path, file.write, watch)
        draft.replace(options.output)
    finally:
        draft.unlink(missing_ok=True)


def _tell(service: Service, batch: Any) -> int:
    counts = batch["counts"]
    failed, total = counts["failed"], counts["total"]
    if batch["status"] == "succeeded":
        print(f"{total:,} rows scored", file=sys.stderr)
        return ALL_SCORED
    print(f"{batch['status']}: {failed:,} of {total:,} rows failed", file=sys.stderr)
    if left := total - failed - counts["succeeded"]:
        why = f": {batch['error']['detail']}" if batch["error"] else ""
        print(f"  {left:,} rows are not in the results{why}", file=sys.stderr)
    first = bytearray()
    with suppress(CannotAsk):
        service.download(batch["urls"]["errors"], first.extend, lambda _: None, most=FIRST_ERRORS)
    for line in first.splitlines(keepends=True)[:TOLD]:
        if line.endswith(b"\n"):
            error = orjson.loads(line)
            said = "; ".join(f"{fault['pointer'].lstrip('/')} {fault['detail']}" for fault in error["errors"])
            print(f"  row {error['row']}: {said.strip()}", file=sys.stderr)
    return SOME_FAILED


def _interrupted(service: Service, batch: Any) -> int:
    print(file=sys.stderr)
    if not batch:
        print("interrupted; nothing was sent that counts", file=sys.stderr)
    elif batch["finished_at"]:
        print(f"interrupted; the results are at {batch['urls']['results']}", file=sys.stderr)
    elif _is_to_be_canceled(batch):
        batch = service.ask("POST", batch["urls"]["cancel"])
        print(f"{batch['id']} is {batch['status']}", file=sys.stderr)
    else:
        print(f"{batch['id']} goes on; see {batch['urls']['self']}", file=sys.stderr)
    return INTERRUPTED


def _is_to_be_canceled(batch: Any) -> bool:
    if not sys.stdin.isatty():
        return False
    # Not by input(), which asks on standard output: that may be the file of the results.
    print(f"cancel {batch['id']}? [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return False
