"""With an Idempotency-Key a file makes one batch, however often it is sent."""

from pathlib import Path

import orjson

from jobs.queues.idempotency import IdempotencyKey
from tests.unit.web.batch_calls import CSV, post, posted
from tests.unit.web.site import Site, problem

DIGEST = IdempotencyKey.of("/v1/batches", "k", b"").key


def test_a_key_gives_one_batch(site: Site) -> None:
    first = posted(site, Idempotency_Key="k")
    again = post(site, Idempotency_Key="k")
    assert (again.headers["Location"], again.headers["Idempotency-Replayed"]) == (first, "true")
    problem(post(site, CSV + b"d,1\n", Idempotency_Key="k"), 422)
    problem(post(site, query="?results=ndjson", Idempotency_Key="k"), 422)
    assert len(list(site.files.folders("batches"))) == 1


def test_a_key_gives_its_batch_even_if_a_new_version_needs_other_columns(
    site: Site, rent_bundles: Path
) -> None:
    first = posted(site, Idempotency_Key="k")
    site.serve(rent_bundles)
    assert posted(site, Idempotency_Key="k") == first


def test_options_and_metadata_belong_to_the_idempotency_key(site: Site) -> None:
    body = {"rows": [{"years": 1}], "metadata": {"for": "ada"}}
    posted(site, orjson.dumps(body), "application/json", Idempotency_Key="k")
    posted(site, orjson.dumps(body), "application/json", Idempotency_Key="k")
    for other in ({**body, "metadata": {}}, {**body, "model": "salary"}):
        problem(post(site, orjson.dumps(other), "application/json", Idempotency_Key="k"), 422)


def test_while_a_body_arrives_its_key_is_claimed(site: Site) -> None:
    site.batch_store.reserve_key("anonymous", DIGEST, "batch_1")
    assert "still arriving" in problem(post(site, Idempotency_Key="k"), 409)["detail"]
    site.batch_store.release_key("anonymous", DIGEST, "batch_1")
    posted(site, Idempotency_Key="k")


def test_a_refused_body_releases_its_key(site: Site) -> None:
    problem(post(site, b"age\n1\n", Idempotency_Key="k"), 422)
    posted(site, Idempotency_Key="k")
