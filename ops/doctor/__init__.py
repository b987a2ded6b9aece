"""python -m ops doctor."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from redis import RedisError

from jobs.errors import InvalidSettings, JobsError
from jobs.files.location import files_at
from jobs.queues.connection import connect
from jobs.settings import Settings
from ops.doctor import bundles, files, processes, store, web
from ops.doctor import settings as settings_check
from ops.doctor.finding import Finding, Severity, fault
from ops.render import as_json, table
from ops.stored_jobs import StoredJobs

HELP = "look for what is wrong"
EXAMPLES = """\
  REDIS_URL=redis://127.0.0.1:6379/0 python -m ops doctor
  python -m ops doctor --url http://127.0.0.1:8000 --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="look at web at this address, as its callers see it")
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="with --url: file that holds the key (or set PAYGRADE_API_KEY)",
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Compares the settings with one another and with Redis, and looks for bundles, workers and web.

    It reads the settings from its own environment, so run it where web or a worker runs, or beside
    `make run`. With --url it looks at web over HTTP instead. The exit status is 1 if it finds a fault;
    warnings do not count.
    """
    if options.url:
        findings = list(web.look(web.WebProbe(options.url, _key(options.key_file))))
    else:
        findings = list(_look(settings))
    healthy = not any(finding.state is Severity.FAULT for finding in findings)
    if options.json:
        print(as_json({"ok": healthy, "findings": [finding._asdict() for finding in findings]}))
    else:
        print("\n".join(table(("", "about", "found"), findings)))
    return 0 if healthy else 1


def _look(settings: Settings) -> Iterator[Finding]:
    redis = connect(settings)
    yield from settings_check.look(settings)
    yield from bundles.look(settings)
    yield from files.look(files_at(settings.files_location))
    try:
        yield from store.look(store.Facts.gather(redis), settings)
        yield from processes.look(StoredJobs(redis, settings).capacity())
    except JobsError as error:
        yield fault("redis", f"{error}; check REDIS_URL")
    except RedisError as error:
        yield fault("redis", f"Redis refused: {str(error).splitlines()[0]}")


def _key(file: Path | None) -> str:
    if file is None:
        return os.environ.get("PAYGRADE_API_KEY", "")
    try:
        return file.read_text().strip()
    except (OSError, ValueError) as error:
        raise InvalidSettings(
            f"--key-file {file} cannot be read: {getattr(error, 'strerror', 'it is not text')}"
        ) from None
