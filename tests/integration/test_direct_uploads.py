"""Files that go straight to S3 and come from there, by addresses whose signatures are checked."""

import subprocess
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from paygrade import Client

from jobs.files.s3_direct import PUT_SECONDS
from tests.integration.service import PYTHON, ROOT, clean_environment
from tests.integration.signed_s3 import SignedS3, stack_with_direct_files
from tests.integration.stack import Stack

MB = 1_000_000
TEXT = "x" * 989
ANN, BOB = {"Authorization": "Bearer ann"}, {"Authorization": "Bearer bob"}
KEYS = {"ann": "ann", "bob": "bob"}
CSV = b"id,years\na,2.5\nb,many\n"


class Town:
    """A service whose files are in S3."""

    def __init__(self, stack: Stack, s3: SignedS3) -> None:
        self.stack = stack
        self.s3 = s3

    def ask(self, method: str, path: str, key: dict[str, str] = ANN, **body: Any) -> requests.Response:
        return requests.request(method, self.stack.address + path, headers=key, json=body or None, timeout=60)

    def begun(self, file: bytes = CSV, **more: Any) -> dict[str, Any]:
        answer = self.ask("POST", "/v1/uploads", size=len(file), **more)
        assert answer.status_code == 201, answer.text
        upload: dict[str, Any] = answer.json()
        return upload


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with stack_with_direct_files(tmp_path_factory.mktemp("direct"), KEYS) as (stack, s3):
        stack.start_web()
        stack.ready(stack.start_worker(), children=2)
        yield Town(stack, s3)


@pytest.fixture(autouse=True)
def _afresh(town: Town) -> None:
    town.s3.direct.clear()
    town.s3.refused.clear()
    town.s3.cut_parts.clear()
    town.s3.late = timedelta()


def table(path: Path, size: int) -> int:
    """Writes a file of at least this size, and returns how many rows it has."""
    rows = size // (len(TEXT) + len(",2.5\n"))
    with path.open("w") as file:
        file.write("id,years\n")
        file.writelines(f"{TEXT},2.5\n" for _ in range(rows))
    return rows


def score(town: Town, path: Path, out: Path) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(
        PYTHONPATH=str(ROOT / "client"), PAYGRADE_URL=town.stack.address, PAYGRADE_API_KEY="ann"
    )
    command = [PYTHON, "-m", "paygrade", "score", str(path), "-o", str(out)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_file_of_100_mb_goes_past_web(town: Town, tmp_path: Path) -> None:
    rows = table(tmp_path / "people.csv", 100 * MB)
    ran = score(town, tmp_path / "people.csv", tmp_path / "scored.csv")
    assert (ran.returncode, ran.stderr) == (0, f"{rows:,} rows scored\n")
    with (tmp_path / "scored.csv").open() as scored:
        assert scored.readline() == "id,prediction,warnings,error\n"
        assert set(scored) == {f"{TEXT},260.00012,,\n"}
    put = [each for each in town.s3.direct if each.method == "PUT"]
    assert sum(each.size for each in put) == (tmp_path / "people.csv").stat().st_size
    assert len(put) == 6
    assert [each.path.rpartition("/")[2] for each in town.s3.direct if each.method == "GET"] == ["result"]
    assert town.s3.refused == []


def test_a_connection_that_is_cut_in_part_2_sends_part_2_again(town: Town, tmp_path: Path) -> None:
    rows = table(tmp_path / "people.csv", 18 * MB)
    town.s3.cut_parts[2] = 2
    ran = score(town, tmp_path / "people.csv", tmp_path / "scored.csv")
    assert (ran.returncode, ran.stderr) == (0, f"{rows:,} rows scored\n")
    put = [each.part for each in town.s3.direct if each.method == "PUT"]
    assert put == [1, 2, 2, 2]
    assert (tmp_path / "scored.csv").read_text().count("260.00012") == rows


def test_no_key_goes_to_s3(town: Town, tmp_path: Path) -> None:
    table(tmp_path / "people.csv", 9 * MB)
    with Client(town.stack.address, "ann") as client:
        client.score_file(tmp_path / "people.csv", tmp_path / "scored.csv", progress=False)
    assert town.s3.direct
    for each in town.s3.direct:
        assert "ann" not in str(each.headers)
        assert not {"authorization", "x-api-key", "idempotency-key"} & set(each.headers)


def test_an_address_that_has_expired_is_asked_for_anew(town: Town) -> None:
    upload = town.begun()
    [part] = upload["parts"]
    town.s3.late = timedelta(seconds=PUT_SECONDS + 5)
    assert requests.put(part["url"], data=CSV, timeout=9).status_code == 403
    assert town.s3.refused == ["ExpiredToken"]
    town.s3.late = timedelta()
    [again] = town.ask("GET", upload["urls"]["self"]).json()["parts"]
    assert requests.put(again["url"], data=CSV, timeout=9).status_code == 200
    assert town.ask("POST", "/v1/batches", upload=upload["id"]).status_code == 202


def test_an_address_is_for_one_part_of_one_size(town: Town) -> None:
    upload = town.begun()
    [part] = upload["parts"]
    for sent, address in [
        (CSV[:-1], part["url"]),
        (CSV + b"c,1\n", part["url"]),
        (CSV, part["url"].replace("partNumber=1", "partNumber=2")),
        (CSV, part["url"].replace("/input?", "/result?")),
    ]:
        assert requests.put(address, data=sent, timeout=9).status_code == 403
    assert requests.get(part["url"], timeout=9).status_code == 403
    assert set(town.s3.refused) == {"SignatureDoesNotMatch"}
    assert town.ask("POST", "/v1/batches", upload=upload["id"]).status_code == 409


def test_a_file_that_arrives_otherwise_is_not_scored(town: Town) -> None:
    upload = town.begun(CSV, crc32=f"{zlib.crc32(CSV):08x}")
    changed = CSV.replace(b"2.5", b"9.5")
    assert requests.put(upload["parts"][0]["url"], data=changed, timeout=9).status_code == 200
    refused = town.ask("POST", "/v1/batches", upload=upload["id"])
    assert refused.status_code == 422
    assert "has another CRC-32" in refused.json()["detail"]
    assert town.ask("POST", "/v1/batches", upload=upload["id"]).status_code == 404


def test_another_owner_finds_nothing(town: Town) -> None:
    upload = town.begun()
    requests.put(upload["parts"][0]["url"], data=CSV, timeout=9)
    assert town.ask("GET", upload["urls"]["self"], BOB).status_code == 404
    assert town.ask("POST", "/v1/batches", BOB, upload=upload["id"]).status_code == 404
    batch = town.ask("POST", "/v1/batches", upload=upload["id"]).json()
    assert town.ask("GET", batch["urls"]["results"], BOB).status_code == 404
