"""The same rows give the same scores, however a client packs, encodes and sends them."""

import gzip
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest
import requests

from jobs.errors import FileMissing
from tests.unit.web.batch_calls import CSV, RESULT, post, posted
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem

TEXT = CSV.decode()
ROWS = [{"id": "a", "years": "2.5"}, {"id": "b", "years": "many"}, {"id": "c", "years": "12.5"}]
NDJSON = b"\n".join(map(orjson.dumps, ROWS))
UNNAMED = "application/octet-stream"


PART = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'


def parquet() -> bytes:
    written = BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), written)
    return written.getvalue()


def zipped(content: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", content)
    return packed.getvalue()


def result_of(site: Site, body: bytes, kind: str | None, query: str = "", **headers: str) -> bytes:
    path = posted(site, body, kind, query, **headers)
    site.score_batches()
    assert site.client.get(path).get_json()["counts"] == {"total": 3, "succeeded": 2, "failed": 1}
    result: bytes = site.client.get(f"{path}/results").data
    return result


@pytest.mark.parametrize("kind", ["text/csv", "application/gzip", "application/zip", UNNAMED, None])
@pytest.mark.parametrize("pack", [gzip.compress, zipped], ids=["gzip", "zip"])
def test_a_packed_file_is_known_by_its_first_bytes(site: Site, pack: Any, kind: str | None) -> None:
    assert result_of(site, pack(CSV), kind) == RESULT
    assert result_of(site, gzip.compress(pack(CSV)), kind, Content_Encoding="gzip") == RESULT


@pytest.mark.parametrize(
    ("body", "kind", "query"),
    [
        (CSV.replace(b",", b";"), "text/csv", ""),
        (b"sep=;\r\n" + CSV.replace(b",", b";").replace(b".", b",").replace(b"\n", b"\r\n"), "text/csv", ""),
        (CSV.replace(b",", b"\t"), "text/csv", ""),
        (CSV.replace(b",", b"\t"), "text/tab-separated-values", ""),
        (CSV.replace(b",", b"|").replace(b".", b","), "application/csv", ""),
        (CSV.replace(b",", b";"), "text/csv", "?delimiter=semicolon&decimal=point"),
        (CSV.replace(b",", b"\t"), "text/csv", "?delimiter=%09"),
        (TEXT.encode("utf-16"), "text/csv", ""),
        (TEXT.encode("utf-16-le"), "text/csv; charset=utf-16le", ""),
        (TEXT.encode("utf-16-be"), "text/csv", "?encoding=UTF-16BE"),
        (CSV, "text/csv; charset=windows-1252", ""),
        (CSV, "application/x-www-form-urlencoded", ""),
        (CSV, "text/plain", ""),
        (CSV, None, ""),
    ],
)
def test_a_dialect_of_csv_is_found_or_named(site: Site, body: bytes, kind: str | None, query: str) -> None:
    assert result_of(site, body, kind, query) == RESULT


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (NDJSON, "application/ndjson"),
        (NDJSON, "application/jsonl"),
        (NDJSON, "application/x-jsonlines"),
        (NDJSON.decode().encode("utf-16"), "application/x-ndjson"),
        (NDJSON, UNNAMED),
        (NDJSON, None),
        (orjson.dumps({"rows": ROWS}), "application/json"),
        (orjson.dumps({"rows": ROWS}), "text/json"),
        (orjson.dumps({"rows": ROWS}), None),
        (orjson.dumps({"rows": ROWS}, option=orjson.OPT_INDENT_2), None),
        (parquet(), "application/x-parquet"),
        (parquet(), UNNAMED),
        (parquet(), None),
        (gzip.compress(parquet()), "application/x-parquet"),
    ],
)
def test_every_usual_media_type_is_accepted(site: Site, body: bytes, kind: str | None) -> None:
    assert result_of(site, body, kind, "?results=csv") == RESULT


def multipart(site: Site, query: str = "", **parts: Any) -> Any:
    """Posts what requests makes of `files` and `data`."""
    prepared = requests.Request("POST", "http://localhost/v1/batches", **parts).prepare()
    body, kind = prepared.body, prepared.headers["Content-Type"]
    assert isinstance(body, bytes)
    return post(site, body, kind, query)


def test_a_file_may_be_a_part_of_a_form(site: Site) -> None:
    for name, content in (
        ("a.csv", CSV),
        ("a.csv.gz", gzip.compress(CSV)),
        ("a", CSV),
        ("a.zip", zipped(CSV)),
        ("a.parquet", parquet()),
        ("a.jsonl", NDJSON),
        ("big.csv", b"id,years\n" + b"x,1\n" * 200_000),
    ):
        response = multipart(
            site, files={"file": (name, content)}, data={"model": "salary", "results": "csv"}
        )
        assert response.status_code == 202, response.text
        path = response.headers["Location"]
        site.score_batches()
        if name != "big.csv":
            assert site.client.get(f"{path}/results").data == RESULT, name
        else:
            assert site.client.get(path).get_json()["counts"]["succeeded"] == 200_000


def test_a_form_is_stored_as_the_file_that_it_holds(site: Site) -> None:
    first = multipart(site, files={"file": ("a.csv", CSV)})
    [folder] = site.files.folders("batches")
    assert site.files.read(f"batches/{folder}/input") == CSV
    assert first.status_code == 202


@pytest.mark.parametrize(
    ("parts", "status", "reason"),
    [
        ({"files": {"file": ("a.csv", CSV), "other": ("b.csv", CSV)}}, 422, "goes on after the file"),
        ({"files": {"file": (None, "years")}}, 422, "has no file"),
        ({"files": {"file": ("a.csv", CSV)}, "data": {"colour": "red"}}, 422, "invalid"),
        ({"files": {"file": ("a.csv", b"age\n1\n")}}, 422, "there is no column years"),
        ({"files": {"f": ("a.csv", CSV)}, "data": {"model": "x" * 100_000}}, 413, "more than 65536 bytes"),
        ({"files": {"f": ("a.csv", CSV)}, "data": {f"f{n}": "1" for n in range(60)}}, 413, "over 50 parts"),
    ],
)
def test_a_form_without_exactly_one_file_of_rows_is_refused(
    site: Site, parts: dict[str, Any], status: int, reason: str
) -> None:
    assert reason in problem(multipart(site, **parts), status)["detail"]
    assert not list(site.files.folders("batches"))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", CSV),
        ("multipart/form-data; boundary=x", CSV),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nye',
        ),
    ],
)
def test_a_form_that_is_cut_off_is_refused(site: Site, kind: str, body: bytes) -> None:
    problem(post(site, body, kind), 400)
    assert not list(site.files.folders("batches"))


@pytest.mark.parametrize("value", ["True", "1", "yes", "on", "TRUE"])
def test_flags_of_a_query_may_be_written_as_clients_do(site: Site, value: str) -> None:
    assert b"contribution_years" in result_of(site, CSV, "text/csv", f"?explain={value}")
    assert b"contribution_years" not in result_of(site, CSV, "text/csv", "?explain=False")


def test_texts_for_missing_values_may_be_named_for_one_batch(new_site: NewSite, rent_bundles: Any) -> None:
    site = new_site(bundles=rent_bundles)
    refused = problem(post(site, query="?missing=Bern"), 422)
    assert refused["errors"][0]["pointer"] == "/missing"


def test_a_media_type_that_is_no_table_is_named(site: Site) -> None:
    refused = problem(post(site, b"<a/>", "application/xml"), 415)
    assert refused["detail"].startswith("the file is application/xml; send one of application/json, text/csv")


def test_a_packed_file_is_unpacked_once_and_its_files_are_removed(site: Site) -> None:
    path = posted(site, gzip.compress(b"years\n2.5\n"))
    site.score_batches()
    folder = f"batches/{path.rpartition('/')[2]}"
    for name in ("input", "plain"):
        with pytest.raises(FileMissing):
            site.files.size(f"{folder}/{name}")


def test_a_packed_file_that_is_cut_off_ends_its_batch(site: Site) -> None:
    for body, reason in (
        (gzip.compress(CSV)[:-5], "the gzip data is cut off"),
        (zipped(CSV)[:-5], "the zip file is damaged, or its end is missing"),
    ):
        path = posted(site, body)
        site.score_batches()
        batch = site.client.get(path).get_json()
        assert (batch["status"], batch["error"]["detail"]) == ("failed", reason)


def test_numbers_that_are_passed_through_keep_their_form(site: Site) -> None:
    line = b'{"id":18446744073709551616,"far":1E400,"price":1.10,"in":[1e5],"years":2.5}'
    path = posted(site, line, "application/x-ndjson")
    site.score_batches()
    expected = line.replace(b',"years":2.5}', b',"prediction":260.00012,"warnings":null,"error":null}\n')
    assert site.client.get(f"{path}/results").data == expected


@pytest.mark.parametrize("field", ["source", "output"])
@pytest.mark.parametrize("place", ["{elsewhere}", "../elsewhere", "s3://elsewhere/in", "file:///etc"])
def test_a_record_that_somebody_changed_leads_no_one_to_other_files(
    site: Site, tmp_path: Path, field: str, place: str
) -> None:
    (tmp_path / "passwd").write_text("years\n1\n")
    path = posted(site)
    key = f"job:{path.rpartition('/')[2]}"
    options = orjson.loads(site.redis.hget(key, "options") or b"")
    options[field] = place.format(elsewhere=tmp_path) + ("/passwd" if field == "source" else "")
    site.redis.hset(key, "options", orjson.dumps(options))
    site.score_batches()
    ended = site.client.get(path).get_json()
    assert (ended["status"], ended["error"]["type"]) == ("failed", "file_missing")
    assert site.client.get(f"{path}/results").status_code in (409, 503)
    assert [file.name for file in tmp_path.iterdir()] == ["passwd"]
