"""With an Idempotency-Key a file makes one batch, however often it is sent."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from jobs.batches.record import NewBatch
from jobs.errors import StoreRefuses, StoreUnavailable
from jobs.queues.idempotency import IdempotencyKey
from tests.unit.web.batch_calls import CSV, RESULT, post, posted
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


class Lossy:
    """Calls of a store whose answers are lost; a late call is made when the test lets it through."""

    def __init__(self, call: Callable[[NewBatch], Any], late: bool) -> None:
        self._call = call
        self._late = late
        self.held: list[Callable[[], Any]] = []

    def __call__(self, batch: NewBatch) -> Any:
        if self._late:
            self.held.append(partial(self._call, batch))
        else:
            self._call(batch)
        raise StoreUnavailable


@pytest.fixture
def lose(site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], Lossy]:
    """Makes web lose the answers to its adds until `monkeypatch.undo`."""

    def lose_answers(late: bool) -> Lossy:
        lossy = Lossy(site.web.batches._store.add, late)
        monkeypatch.setattr(site.web.batches._store, "add", lossy)
        return lossy

    return lose_answers


def result(site: Site, path: str) -> bytes:
    site.score_batches()
    content: bytes = site.client.get(f"{path}/results").data
    return content


def test_an_accepted_batch_keeps_its_input_if_the_answer_of_the_store_is_lost(
    site: Site, lose: Callable[[bool], Lossy], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(False)
    problem(post(site, Idempotency_Key="k"), 503)
    monkeypatch.undo()
    again = post(site, Idempotency_Key="k")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert result(site, again.headers["Location"]) == RESULT


def test_a_late_add_does_not_make_a_second_batch_of_its_key(
    site: Site, lose: Callable[[bool], Lossy], monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy = lose(True)
    problem(post(site, Idempotency_Key="k"), 503)
    monkeypatch.undo()
    path = posted(site, Idempotency_Key="k")
    [late] = lossy.held
    assert late() == path.rpartition("/")[2]
    assert posted(site, Idempotency_Key="k") == path
    assert len(site.jobs()) == 1
    assert result(site, path) == RESULT


def test_a_late_add_is_refused_after_its_key_was_released(
    site: Site, lose: Callable[[bool], Lossy], monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy = lose(True)
    problem(post(site, Idempotency_Key="k"), 503)
    monkeypatch.undo()
    with pytest.raises(StoreRefuses):
        lossy.held[0]()
    assert site.jobs() == []


class Overtaken:
    """An upload that is cut off from the store: its reservation lapses meanwhile, and `then` happens."""

    def __init__(self, site: Site, then: Callable[[], None]) -> None:
        self._site = site
        self._then = then
        self._save = site.web.batches.inputs.prepare
        site.web.batches.inputs.prepare = self  # type: ignore[method-assign]

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self._site.web.batches.inputs.prepare = self._save  # type: ignore[method-assign]
        saved = self._save(*arguments, **named)
        self._site.redis.delete(*self._site.redis.keys("idempotency:*"))
        self._then()
        return saved


def test_an_upload_that_was_overtaken_is_answered_with_the_batch_of_its_key(site: Site) -> None:
    paths: list[str] = []
    Overtaken(site, lambda: paths.append(posted(site, Idempotency_Key="k")))
    again = post(site, Idempotency_Key="k")
    assert (again.headers["Location"], again.headers["Idempotency-Replayed"]) == (paths[0], "true")
    assert len(list(site.files.folders("batches"))) == len(site.jobs()) == 1


def test_an_upload_that_another_body_overtook_is_refused(site: Site) -> None:
    Overtaken(site, lambda: [posted(site, CSV + b"d,1\n", Idempotency_Key="k")].clear())
    problem(post(site, Idempotency_Key="k"), 422)
    assert len(list(site.files.folders("batches"))) == len(site.jobs()) == 1


def test_an_upload_whose_key_lapsed_is_refused_and_may_be_repeated(site: Site) -> None:
    Overtaken(site, lambda: None)
    assert "send it again" in problem(post(site, Idempotency_Key="k"), 503)["detail"]
    assert not list(site.files.folders("batches"))
    posted(site, Idempotency_Key="k")


def test_a_reservation_from_before_the_clock_was_set_back_does_not_last(site: Site) -> None:
    site.batch_store.reserve_key("anonymous", DIGEST, "batch_1")
    [key] = site.redis.keys("idempotency:*")
    site.redis.pexpire(key, 3_600_000)
    posted(site, Idempotency_Key="k")
