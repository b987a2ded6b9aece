"""One batch, as a caller sees it: a file is posted, waited for, and its results are fetched."""

import time
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from jobs.cli.files import Service
from jobs.files.tables import MEDIA_TYPES, Format

LOOKS_EVERY_SECONDS = 0.02


def service_at(port: int) -> Service:
    return Service(f"http://127.0.0.1:{port}", {})


def post(service: Service, file: Path, model: str) -> Any:
    headers = {"Content-Type": MEDIA_TYPES[Format(file.suffix[1:])]}
    with file.open("rb") as body:
        return service.upload(f"/v1/batches?model={model}", body, file.stat().st_size, headers, _nothing)


def post_rows(service: Service, rows: Sequence[Mapping[str, Any]], model: str) -> Any:
    body = orjson.dumps({"rows": rows, "model": model})
    headers = {"Content-Type": "application/json"}
    return service.upload("/v1/batches", BytesIO(body), len(body), headers, _nothing)


def wait(service: Service, batch: Any) -> Any:
    while not (now := service.ask("GET", batch["urls"]["self"]))["finished_at"]:
        time.sleep(LOOKS_EVERY_SECONDS)
    return now


def fetch(service: Service, batch: Any, out: Path) -> None:
    with out.open("wb") as file:
        service.download(batch["urls"]["results"], file.write, _nothing)


def remove(service: Service, batch: Any) -> None:
    service.ask("DELETE", batch["urls"]["self"])


def _nothing(_: int) -> None:
    pass
