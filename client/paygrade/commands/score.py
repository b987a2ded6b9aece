"""paygrade score."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from paygrade.client import Client
from paygrade.commands.arguments import Command, add_model
from paygrade.commands.errors import ScoringFailed
from paygrade.commands.progress import ProgressLine, time_left
from paygrade.errors import PaygradeError
from paygrade.formats import MEDIA_TYPES
from paygrade.transport import Resource

EXAMPLES = """\
  paygrade score people.csv -o scored.csv
  paygrade score people.csv -o explained.csv --explain
  zcat people.csv.gz | paygrade score - --results ndjson | head
"""
FIRST_ERRORS = 4096
"""Bytes of the errors that are fetched, of which at most SHOWN_ERRORS are printed."""
SHOWN_ERRORS = 3
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="CSV, NDJSON or Parquet, also packed; - for standard input"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="file to write (standard output)")
    parser.add_argument("--format", choices=MEDIA_TYPES, help="format of the file (found by looking)")
    parser.add_argument("--results", choices=MEDIA_TYPES, help="format of the results (the same as the file)")
    add_model(parser)
    parser.add_argument("--include-inputs", action="store_true", help="add the features to the results")
    parser.add_argument("--explain", action="store_true", help="add what each feature contributes")
    parser.add_argument("--prefix", help="prefix for the names of the columns that results add")
    parser.add_argument("--delimiter", help="what separates the fields of CSV: comma, semicolon, tab or pipe")
    parser.add_argument("--decimal", help="the decimal sign of CSV: point or comma")
    parser.add_argument("--encoding", help="encoding of the file, such as windows-1252 (UTF-8)")
    parser.add_argument(
        "--error-inputs", action="store_true", help="add the failed rows to the errors, to be corrected"
    )
    parser.add_argument(
        "--webhook", metavar="URL", help="https address that is told when the batch has ended"
    )
    parser.add_argument("--missing", metavar="TEXTS", help="texts for missing values, such as NA,?")
    parser.add_argument(
        "--escape-formulas", action="store_true", help="put ' before texts that a spreadsheet would run"
    )


def run(options: argparse.Namespace, client: Client) -> int:
    """Scores a file as a batch, and writes one line of results for each of its rows.

    The exit status is 1 if a row was not scored. Ctrl-C offers to cancel the batch.
    """
    batch: Resource = {}
    try:
        with ProgressLine() as progress:
            batch = _upload(options, client, progress)
            batch = _ended(batch["id"], client, progress)
            _download(batch, options.output, client, progress)
        return _summarize(batch, client)
    except KeyboardInterrupt:
        return _interrupted(batch, client)


def _upload(options: argparse.Namespace, client: Client, progress: ProgressLine) -> Resource:
    def on_sent(sent: int, size: int | None) -> None:
        progress.show("uploading", sent / size if size else None, f"{sent:,} bytes")

    return client.upload(
        sys.stdin.buffer if options.file == "-" else options.file,
        format=options.format,
        model=options.model,
        results=options.results,
        explain=options.explain,
        include_inputs=options.include_inputs,
        prefix=options.prefix,
        delimiter=options.delimiter,
        decimal=options.decimal,
        encoding=options.encoding,
        missing=options.missing,
        error_inputs=options.error_inputs,
        webhook=options.webhook,
        escape_formulas=options.escape_formulas,
        on_sent=on_sent,
    )


def _ended(batch_id: str, client: Client, progress: ProgressLine) -> Resource:
    batch: Resource = {}
    started = time.monotonic()
    for batch in client.follow(batch_id):
        counts = batch["counts"]
        rows = counts["succeeded"] + counts["failed"]
        rate = rows / max(time.monotonic() - started, 0.1)
        text = f"{rows:,} rows, {rate:,.0f}/s, {counts['failed']:,} failed {time_left(batch['eta_seconds'])}"
        progress.show(batch["status"], batch["progress"], text)
    return batch


def _download(batch: Resource, output: Path | None, client: Client, progress: ProgressLine) -> None:
    """A file of results appears under its name when it is complete."""
    if not batch["counts"]["failed"] + batch["counts"]["succeeded"]:
        raise ScoringFailed(f"{batch['id']} is {batch['status']}{_reason(batch)}")
    if output is None:
        client.download(batch["id"], _counted(sys.stdout.buffer.write, progress))
        sys.stdout.buffer.flush()
        return
    draft = output.with_name(f".{output.name}-{batch['id'][-8:]}")
    try:
        with draft.open("wb") as file:
            client.download(batch["id"], _counted(file.write, progress))
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


def _counted(write: Callable[[bytes], object], progress: ProgressLine) -> Callable[[bytes], None]:
    """`write`, with the number of bytes on the progress line."""
    done = 0

    def counted(piece: bytes) -> None:
        nonlocal done
        write(piece)
        done += len(piece)
        progress.show("downloading", None, f"{done:,} bytes")

    return counted


def _summarize(batch: Resource, client: Client) -> int:
    counts = batch["counts"]
    failed, total = counts["failed"], counts["total"]
    if batch["status"] == "succeeded":
        print(f"{_rows(total)} scored", file=sys.stderr)
        return 0
    print(f"{batch['status']}: {failed:,} of {_rows(total)} failed", file=sys.stderr)
    if missing := total - failed - counts["succeeded"]:
        print(f"  not in the results: {_rows(missing)}{_reason(batch)}", file=sys.stderr)
    for line in _first_errors(batch, client):
        print(f"  {line}", file=sys.stderr)
    return 1


def _first_errors(batch: Resource, client: Client) -> list[str]:
    start = bytearray()
    with suppress(PaygradeError):
        client.download(batch["id"], start.extend, what="errors", first=FIRST_ERRORS)
    lines = [
        json.loads(line) for line in start.splitlines(keepends=True)[:SHOWN_ERRORS] if line[-1:] == b"\n"
    ]
    return [f"row {line['row']}: {'; '.join(map(_fault, line['errors'])).strip()}" for line in lines]


def _fault(fault: Resource) -> str:
    return f"{fault['pointer'].lstrip('/')} {fault['detail']}"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _reason(batch: Resource) -> str:
    return f": {batch['error']['detail']}" if batch["error"] else ""


def _interrupted(batch: Resource, client: Client) -> int:
    print(file=sys.stderr)
    if not batch:
        print("interrupted before the batch was accepted", file=sys.stderr)
    elif batch["finished_at"]:
        print(f"interrupted; {batch['id']} has ended and keeps its results", file=sys.stderr)
    elif _confirmed(f"cancel {batch['id']}? [y/N] "):
        batch = client.cancel(batch["id"])
        print(f"{batch['id']} is {batch['status']}", file=sys.stderr)
    else:
        print(f"{batch['id']} continues; see: paygrade jobs show {batch['id']}", file=sys.stderr)
    return INTERRUPTED


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    # Not input(), which writes to standard output: that may be the file of the results.
    print(question, end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return False


COMMAND = Command("score", "score a file", EXAMPLES, add_arguments, run)
