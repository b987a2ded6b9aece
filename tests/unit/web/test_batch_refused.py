"""An invalid batch is refused by the post, and leaves no file behind."""

import gzip
import shutil
from pathlib import Path

import gevent
import orjson
import pytest

from jobs.files import unpacking
from jobs.files.store import PIECE
from tests.unit.model.conftest import rewrite
from tests.unit.web.batch_calls import CSV, post, posted
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import BUNDLES, Site, problem
from web.file_bodies import START_BYTES


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"", "text/csv", 422, "the file is empty"),
        (b"years\n", "text/csv", 422, "no rows"),
        (b"age\n1\n", "text/csv", 422, "there is no column years"),
        (b"years,years\n1,1\n", "text/csv", 422, "occurs twice"),
        (b"years,error\n1,1\n", "text/csv", 422, "choose a prefix"),
        (b"years,warnings\n1,1\n", "text/csv", 422, "choose a prefix"),
        (b"\x89PNG\r\n\x1a\n\0\0", "text/csv", 422, "not text"),
        (b"\xffyears\n1\n", "text/csv", 422, "name the encoding of the file"),
        (b"Years\n1\n", "text/csv", 422, "there is no column years; there is Years"),
        (b"years\n1\n\0\n", "text/csv", 422, "line 3: this is not text, it has a zero byte"),
        (b"[1,2]", "application/x-ndjson", 422, "line 1: this is a JSON list; send one object on each line"),
        (b"1\n", "application/x-ndjson", 422, "line 1: this is not a JSON object"),
        (b"PARE1", "application/x-parquet", 422, "encrypted"),
        (b"PAR1\0", "text/csv", 422, "this is Parquet; send it as application/vnd.apache.parquet"),
        (b"\xd0\xcf\x11\xe0\0\0", "application/vnd.ms-excel", 422, "this is a workbook of Excel"),
        (b"\xff\xfe\0\0y\0\0\0", "text/csv", 422, "this is UTF-32"),
        ("years\n1\n".encode("utf-16-le"), "text/csv; charset=utf-16", 422, "name utf-16-le or utf-16-be"),
        (b"years;x\n1.234;1\n", "text/csv", 422, "may be fractions, or thousands; name the decimal"),
        (b"\x1f\x8bnonsense", "text/csv", 422, "not gzip"),
        (b"years\n1\n", "application/vnd.apache.parquet", 422, "not a Parquet file"),
        (b"<xml/>", "application/xml", 415, "the file is application/xml; send one of"),
        (CSV, "text/csv; charset=ebcdic", 415, "charset"),
        (b'{"rows":[]}', "application/json", 422, "no rows"),
        (b'{"rows":[{}],"input":"s3://a/b.csv"}', "application/json", 422, "give one of"),
        (b'{"input":"s3://bucket/b.csv"}', "application/json", 422, "not allowed"),
        (b'{"input":"/etc/passwd"}', "application/json", 422, "wrong"),
        (b'{"rows":[{}],"colour":1}', "application/json", 422, "invalid"),
    ],
)
def test_a_file_that_cannot_be_scored_is_refused_by_the_post(
    site: Site, body: bytes, kind: str, status: int, reason: str
) -> None:
    assert reason in problem(post(site, body, kind), status)["detail"]
    assert not list(site.files.folders("batches"))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?results=xml", 422),
        ("?colour=red", 422),
        ("?prefix=a,b", 422),
        ("?explain=maybe", 422),
        ("?delimiter=x", 422),
        ("?decimal=x", 422),
        ("?encoding=ebcdic", 422),
        ("?model=no", 404),
    ],
)
def test_invalid_options_are_refused(site: Site, query: str, status: int) -> None:
    problem(post(site, query=query), status)


def test_a_file_over_the_limit_after_decompression_is_refused(new_site: NewSite) -> None:
    site = new_site(max_file=1_000_000)
    problem(post(site, gzip.compress(CSV + b"d,1\n" * 250_000), Content_Encoding="gzip"), 413)
    problem(post(site, CSV + b"d,1\n" * 250_000), 413)
    assert not list(site.files.folders("batches"))


def test_a_body_that_unpacks_to_much_more_than_was_sent_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SMALL_UNPACKED", 1_000_000)
    body = gzip.compress(CSV + b"d,1\n" * 2_000_000)
    refused = problem(post(site, body, Content_Encoding="gzip"), 422)
    assert "once it is unpacked" in refused["detail"]
    assert not list(site.files.folders("batches"))


def test_others_are_served_while_a_small_body_unpacks_to_much(site: Site) -> None:
    turns: list[None] = []

    def others() -> None:
        while True:
            turns.append(None)
            gevent.sleep(0)

    serving = gevent.spawn(others)
    posted(site, gzip.compress(CSV + b"d,1\n" * 1_000_000), Content_Encoding="gzip")
    serving.kill()
    assert len(turns) > 4_000_000 // PIECE


@pytest.mark.parametrize("body", [gzip.compress(CSV)[:-5], b"years\n1\n"], ids=["cut off", "plain"])
def test_a_body_that_is_not_a_whole_gzip_stream_is_refused(site: Site, body: bytes) -> None:
    problem(post(site, body, Content_Encoding="gzip"), 400)


def test_a_column_named_like_an_explanation_is_refused_if_explanations_are_requested(site: Site) -> None:
    body = b"years,base\n1,1\n"
    assert "choose a prefix" in problem(post(site, body, query="?explain=true"), 422)["detail"]
    assert posted(site, body)
    assert posted(site, body, query="?explain=true&prefix=our_")


def test_a_model_that_cannot_be_explained_says_so(new_site: NewSite, tmp_path: Path) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    rewrite(tmp_path / "bundles" / "salary" / "1", explained=False)
    refused = problem(post(new_site(bundles=tmp_path / "bundles"), query="?explain=true"), 422)
    assert refused["errors"] == [{"pointer": "/explain", "detail": "salary@1 gives no explanations"}]


def test_only_allowed_addresses_in_s3_are_accepted(new_site: NewSite) -> None:
    site = new_site(s3_allow="s3://salaries/in/,s3://all")
    for address in (
        "s3://salaries/out/a.csv",
        "s3://allmine/a.csv",
        "s3://salaries/in-evil/a.csv",
        "s3://salaries/in/../out/a.csv",
        "s3://all/a.xml",
    ):
        body = orjson.dumps({"input": address})
        assert problem(post(site, body, "application/json"), 422)["errors"][0]["pointer"] == "/input"
    evil = orjson.dumps({"input": "s3://all/a.csv", "output": "s3://salaries/in-evil"})
    assert problem(post(site, evil, "application/json"), 422)["errors"][0]["pointer"] == "/output"


@pytest.mark.parametrize(
    "row", [b"[" * 300 + b"]" * 300, b'{"years": ' + b"[" * 900 + b"]" * 900 + b"}", b"9" * 390]
)
def test_rows_that_can_be_read_and_not_written_are_refused_with_their_pointer(site: Site, row: bytes) -> None:
    body = b'{"rows": [{"years": 1}, ' + row + b"]}"
    for headers in ({}, {"Idempotency_Key": "k"}):
        refused = problem(post(site, body, "application/json", **headers), 422)
        assert [fault["pointer"] for fault in refused["errors"]] == ["/rows/1"]
    posted(site, b'{"rows": [{"years": 1}]}', "application/json", Idempotency_Key="k")
    problem(post(site, body, "application/json", Idempotency_Key="k"), 422)


LONG_HEADER = b",".join(b"c%06d" % number for number in range(40_000))


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        (LONG_HEADER + b",years", False),
        (LONG_HEADER + b",years", True),
        (b'years,"' + b"x" * 100_000 + b'","' + b"\n" * 100_000 + b'","' + b"y" * 100_000 + b'"', False),
        (b"years," + b"c" * (START_BYTES - 7), False),
    ],
    ids=["long", "packed", "quoted", "cut at its end"],
)
def test_nothing_is_said_of_a_header_that_was_not_read_whole(site: Site, header: bytes, packed: bool) -> None:
    file = header + b"\n" + b"1," * header.count(b",") + b"2.5\n"
    posted(site, gzip.compress(file) if packed else file)


def test_a_name_that_is_too_long_for_csv_is_refused(site: Site) -> None:
    assert (
        "a name has more than" in problem(post(site, b"years," + b"x" * 140_000 + b"\n1,2\n"), 422)["detail"]
    )


def test_too_many_unfinished_batches_are_503(new_site: NewSite) -> None:
    site = new_site(max_batches=1)
    posted(site)
    problem(post(site), 503)
    assert len(list(site.files.folders("batches"))) == 1


def test_a_key_at_its_limit_is_refused_and_keeps_its_batches(new_site: NewSite) -> None:
    site = new_site(max_batches_per_key=1)
    first = posted(site, Idempotency_Key="k")
    assert "unfinished" in problem(post(site), 429)["detail"]
    assert posted(site, Idempotency_Key="k") == first
    site.score_batches()
    posted(site)


@pytest.mark.parametrize("job_id", ["batch_1", "pred_01a2014c-0000-7000-8000-000000000000"])
def test_an_id_that_is_not_of_a_batch_is_not_found(site: Site, job_id: str) -> None:
    problem(site.client.get(f"/v1/batches/{job_id}"), 404)
