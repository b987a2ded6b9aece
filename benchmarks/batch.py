"""One batch as a caller sees it: a file is posted, waited for, and its results are fetched."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from jobs.files.store import PIECE
from jobs.files.tables import MEDIA_TYPES, Format

LOOKS_EVERY_SECONDS = 0.02
TIMEOUT_SECONDS = 60
PATH = "/v1/batches"


def service_at(port: int) -> httpx.Client:
    headers = {"Accept-Encoding": "identity"}
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=TIMEOUT_SECONDS)


def ask(service: httpx.Client, method: str, path: str, **request: Any) -> Any:
    """The JSON of the answer, None if it has none."""
    answer = service.request(method, path, **request).raise_for_status()
    return answer.json() if answer.content else None


def post(service: httpx.Client, file: Path, model: str) -> Any:
    headers = {
        "Content-Type": MEDIA_TYPES[Format(file.suffix[1:])],
        "Content-Length": str(file.stat().st_size),
    }
    return ask(service, "POST", PATH, params={"model": model}, headers=headers, content=_pieces(file))


def post_rows(service: httpx.Client, rows: Sequence[Mapping[str, Any]], model: str) -> Any:
    return ask(service, "POST", PATH, json={"rows": rows, "model": model})


def wait(service: httpx.Client, batch: Any) -> Any:
    while not (now := ask(service, "GET", batch["urls"]["self"]))["finished_at"]:
        time.sleep(LOOKS_EVERY_SECONDS)
    return now


def fetch(service: httpx.Client, batch: Any, out: Path) -> None:
    with service.stream("GET", batch["urls"]["results"]) as answer, out.open("wb") as file:
        for piece in answer.raise_for_status().iter_raw():
            file.write(piece)


def remove(service: httpx.Client, batch: Any) -> None:
    ask(service, "DELETE", batch["urls"]["self"])


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece
