"""/v1/owners: what operators see of all owners."""

from tests.unit.conftest import Clock
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web.keys import digest

KEYS = f"ann:{digest('key of ann')},ben:{digest('key of ben')},op:{digest('key of op')}:operate"
OPERATOR = {"X-API-Key": "key of op"}


def test_an_operator_sees_how_much_each_owner_has(new_site: NewSite, clock: Clock) -> None:
    site = new_site(keys=KEYS, rows_per_minute=1_000)
    for _ in range(2):
        site.post_years(X_API_Key="key of ann")
    headers = {"X-API-Key": "key of ben", "Content-Type": "text/csv"}
    assert site.client.post("/v1/batches", data=b"years\n2.5\n", headers=headers).status_code == 202
    listed = site.client.get("/v1/owners", headers=OPERATOR).get_json()["data"]
    seen = {owner["name"]: (owner["predictions"], owner["batches"]) for owner in listed}
    assert seen == {"ann": (2, 0), "ben": (0, 1), "op": (0, 0)}
    assert {owner["name"]: owner["rows_this_minute"] for owner in listed} == {"ann": 2, "ben": 0, "op": 0}


def test_what_has_ended_counts_as_kept(new_site: NewSite) -> None:
    site = new_site(keys=KEYS).hire()
    site.post_years(X_API_Key="key of ann")
    [ann, *_] = site.client.get("/v1/owners", headers=OPERATOR).get_json()["data"]
    assert (ann["name"], ann["kept_bytes"] > 0) == ("ann", True)


def test_without_keys_there_is_one_owner(site: Site) -> None:
    site.post_years()
    [owner] = site.client.get("/v1/owners").get_json()["data"]
    assert (owner["name"], owner["predictions"]) == ("anonymous", 1)


def test_a_caller_may_not_see_the_owners(new_site: NewSite) -> None:
    problem(new_site(keys=KEYS).client.get("/v1/owners", headers={"X-API-Key": "key of ann"}), 403)
