"""Who is asked: web over HTTP, or Redis directly."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from jobs.cli.api import Api, Resource
from jobs.cli.direct import Direct
from jobs.cli.errors import CannotAsk
from jobs.connection import connect
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings, web_address

LONGEST_KEY = 4096


class Source(Protocol):
    """What both can tell; see Api and Direct."""

    def show(self, job_id: str) -> Resource: ...
    def list_jobs(self, status: str | None, most: int) -> Iterator[Resource]: ...
    def cancel(self, job_id: str) -> Resource: ...
    def capacity(self) -> Resource: ...


def add_api(parser: argparse.ArgumentParser) -> None:
    _add_key(parser)
    _add_url(parser)


def add_source(parser: argparse.ArgumentParser) -> None:
    _add_key(parser)
    either = parser.add_mutually_exclusive_group()
    _add_url(either)
    add_redis(either)


def add_owner(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--owner", metavar="NAME", help="with --redis: whose jobs (anonymous without keys)")


def add_redis(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--redis", action="store_true", help="ask Redis directly, at REDIS_URL: any owner's jobs"
    )


def _add_url(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--url", type=_address, help="where web is (PAYGRADE_URL, or http://127.0.0.1:8000)")


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="has the key (else PAYGRADE_KEY is it)")


def api_of(options: argparse.Namespace, settings: Settings) -> Api:
    key = settings.key.get_secret_value() if options.key_file is None else _read_key(options.key_file)
    return Api(options.url or settings.url, key)


def source_of(options: argparse.Namespace, settings: Settings) -> Source:
    owner = getattr(options, "owner", None)
    if options.redis:
        return Direct(PredictionStore(connect(settings), settings), settings, owner)
    if owner:
        raise CannotAsk("--owner goes with --redis: over HTTP everybody sees his own jobs only")
    return api_of(options, settings)


def _address(text: str) -> str:
    try:
        return web_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _read_key(file: Path) -> str:
    try:
        with file.open() as opened:
            key = opened.read(LONGEST_KEY).strip()
    except (OSError, ValueError) as error:
        raise CannotAsk(
            f"--key-file {file} cannot be read ({getattr(error, 'strerror', 'not text')})"
        ) from None
    if not key:
        raise CannotAsk(f"--key-file {file} is empty")
    return key
