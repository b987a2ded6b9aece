"""paygrade score."""

import argparse
import sys

from paygrade.addresses import is_address
from paygrade.client import Client
from paygrade.commands.arguments import Command, add_json, add_model
from paygrade.commands.errors import ScoringFailed
from paygrade.commands.render import as_json
from paygrade.errors import InvalidInput
from paygrade.formats import MEDIA_TYPES
from paygrade.operations.batches import FileOptions
from paygrade.progress import ProgressLine, progress_line
from paygrade.resources import Job

EXAMPLES = """\
  paygrade score people.csv -o scored.csv
  paygrade score people.csv -o explained.csv --explain
  paygrade score 's3://salaries/2026-*/people-*.csv' -o s3://salaries/scored
  zcat people.csv.gz | paygrade score - --results ndjson | head
"""
SHOWN_ERRORS = 3
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        help="CSV, NDJSON or Parquet, also packed; - for standard input; or the s3:// address of a file, "
        "of several as a prefix that ends in /, of a glob, or of a manifest",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file to write (standard output); of several files a folder, or else their manifest is on "
        "standard output; or an s3:// address, if FILE is one",
    )
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
    add_json(parser)


def run(options: argparse.Namespace, client: Client) -> int:
    """Scores a file as a batch, and writes one line of results for each of its rows.

    The exit status is 1 if a row was not scored. Ctrl-C offers to cancel the batch.
    """
    if options.json and options.output is None:
        raise InvalidInput("--json needs --output: the results would be on standard output, too")
    batch: Job | None = None
    try:
        with progress_line() as line:
            batch = _upload(options, client, line)
            for now in client.follow(batch):
                batch = now
                line.batch(batch)
            _download(batch, options.output, client, line)
        if options.json:
            print(as_json(batch))
        return _summarize(batch, client)
    except KeyboardInterrupt:
        return _interrupted(batch, client)


def _upload(options: argparse.Namespace, client: Client, line: ProgressLine) -> Job:
    given: FileOptions = {
        "format": options.format,
        "model": options.model,
        "results": options.results,
        "explain": options.explain,
        "include_inputs": options.include_inputs,
        "prefix": options.prefix,
        "delimiter": options.delimiter,
        "decimal": options.decimal,
        "encoding": options.encoding,
        "missing": options.missing,
        "error_inputs": options.error_inputs,
        "webhook": options.webhook,
        "escape_formulas": options.escape_formulas,
    }
    file = sys.stdin.buffer if options.file == "-" else options.file
    to = options.output if is_address(options.output) else None
    return client.upload(file, to=to, on_sent=line.sent, **given)


def _download(batch: Job, output: str | None, client: Client, line: ProgressLine) -> None:
    if not batch["counts"]["failed"] + batch["counts"]["succeeded"]:
        raise ScoringFailed(f"{batch['id']} is {batch['status']}{_reason(batch)}")
    if is_address(output):
        print(f"the results are in {output}/{batch['id']}/", file=sys.stderr)
        return
    several = "files" in batch
    if several and output:
        client.download_files(batch, output, on_piece=line.received)
    else:
        what = "manifest" if several else "results"
        client.download(batch, output or sys.stdout.buffer, what=what, on_piece=line.received)
    sys.stdout.flush()


def _summarize(batch: Job, client: Client) -> int:
    counts = batch["counts"]
    failed, total = counts["failed"], counts["total"]
    if batch["status"] == "succeeded":
        print(f"{_rows(total or 0)} scored", file=sys.stderr)
        return 0
    print(f"{batch['status']}: {failed:,} of {_rows(total or 0)} failed", file=sys.stderr)
    if "files" in batch and batch["error"]:
        print(f"  {batch['error']['detail']}", file=sys.stderr)
    if missing := (total or 0) - failed - counts["succeeded"]:
        print(f"  not in the results: {_rows(missing)}{_reason(batch)}", file=sys.stderr)
    for line in client.first_errors(batch)[:SHOWN_ERRORS]:
        print(f"  {line}", file=sys.stderr)
    return 1


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _reason(batch: Job) -> str:
    return f": {batch['error']['detail']}" if batch["error"] else ""


def _interrupted(batch: Job | None, client: Client) -> int:
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
