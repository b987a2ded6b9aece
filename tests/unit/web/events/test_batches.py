"""What messages become in a whole service: batches like any other, of an owner of their own."""

import json
from typing import Any

import pytest

from tests.unit.web.conftest import NewSite
from tests.unit.web.events.created import created
from tests.unit.web.events.fakes import FakeQueue, message
from tests.unit.web.site import Site, problem
from web.keys import digest

CSV = b"id,years\na,2.5\nb,many\n"
RESULT = b"id,prediction,warnings,error\na,260.00012,,\nb,,,years must be a number\n"


class EventSite:
    """A site whose callers may name the folders input and output of one bucket."""

    def __init__(self, new_site: NewSite, aws: Any, **settings: Any) -> None:
        self._aws = aws
        self.queue = FakeQueue()
        allowed = "s3://salaries/input,s3://salaries/output"
        self.site: Site = new_site(events=self.queue, s3_allow=allowed, **settings)

    def put(self, key: str, content: bytes = CSV) -> str:
        """The event of the new object."""
        etag = self._aws.put_object(Bucket="salaries", Key=key, Body=content)["ETag"].strip('"')
        self.queue.etags[f"salaries/{key}"] = etag
        return created(key, etag)

    def read(self, *bodies: str) -> None:
        assert self.site.web.events
        for each in bodies:
            self.site.web.events.handle(message(each))

    def batches(self, key: str = "") -> list[Any]:
        response = self.site.client.get("/v1/batches", headers={"X-API-Key": key} if key else {})
        assert response.status_code == 200, response.text
        found: list[Any] = response.get_json()["data"]
        return found

    def results(self) -> dict[str, bytes]:
        found = self._aws.list_objects_v2(Bucket="salaries", Prefix="output/").get("Contents", [])
        return {
            each["Key"]: self._aws.get_object(Bucket="salaries", Key=each["Key"])["Body"].read()
            for each in found
        }


@pytest.fixture
def events(new_site: NewSite, aws: Any) -> EventSite:
    return EventSite(new_site, aws)


def test_a_file_is_scored_and_its_results_stand_below_output(events: EventSite) -> None:
    events.read(events.put("input/salary/people.csv"))
    [batch] = events.batches()
    assert batch["metadata"]["output"] == "s3://salaries/output/salary/people.csv"
    events.site.score_batches()
    assert events.results()[f"output/salary/people.csv/{batch['id']}/result.csv"] == RESULT


def test_copies_of_a_message_are_one_batch_also_when_the_first_was_not_marked(events: EventSite) -> None:
    event = events.put("input/people.csv")
    events.read(event, event)
    for mark in events.site.redis.keys("event:*"):
        events.site.redis.delete(mark)
    events.read(event)
    assert len(events.batches()) == 1


def test_a_copy_that_comes_long_after_the_batch_has_expired_is_none(events: EventSite) -> None:
    event = events.put("input/people.csv")
    events.read(event)
    events.site.score_batches()
    assert events.site.client.delete(events.batches()[0]["urls"]["self"]).status_code == 204
    events.read(event)
    assert events.batches() == []


def test_a_file_that_changes_is_another_batch(events: EventSite) -> None:
    events.read(events.put("input/people.csv"))
    events.read(events.put("input/people.csv", CSV + b"c,4.5\n"))
    assert len(events.batches()) == 2


def test_results_start_nothing(events: EventSite) -> None:
    events.read(events.put("output/people.csv/batch_1/result.csv"))
    assert events.batches() == []
    assert len(events.queue.given_up) == 1


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("input/nobody/people.csv", "404: there is no model nobody"),
        ("input/people.docx", "/input must end in"),
        ("input/salary//people.csv", "/input must be s3://BUCKET/KEY"),
    ],
)
def test_a_file_that_can_never_become_a_batch_is_given_up(events: EventSite, key: str, reason: str) -> None:
    events.read(events.put(key))
    assert events.batches() == []
    [said] = events.queue.given_up
    assert reason in said


def test_a_file_elsewhere_is_given_up(events: EventSite) -> None:
    event = json.loads(events.put("input/people.csv"))
    event["detail"]["bucket"]["name"] = "others"
    events.queue.etags["others/input/people.csv"] = event["detail"]["object"]["etag"]
    events.read(json.dumps(event))
    assert "not in a folder that PAYGRADE_S3_ALLOW lists" in events.queue.given_up[0]


def test_where_keys_are_set_the_owner_is_events(new_site: NewSite, aws: Any) -> None:
    keys = f"events:{digest('of events')},ada:{digest('of ada')}"
    events = EventSite(new_site, aws, keys=keys)
    events.read(events.put("input/people.csv"))
    [batch] = events.batches("of events")
    assert events.batches("of ada") == []
    other = events.site.client.get(batch["urls"]["self"], headers={"X-API-Key": "of ada"})
    problem(other, 404)


def test_no_caller_can_name_the_owner(new_site: NewSite, aws: Any) -> None:
    site = EventSite(new_site, aws, keys=f"ada:{digest('of ada')}").site
    problem(site.client.get("/v1/batches", headers={"paygrade.owner": "events"}), 401)


def test_a_message_of_ours_has_every_option_of_a_batch(events: EventSite) -> None:
    batch = {"rows": [{"years": 2.5}], "results": "csv", "metadata": {"schedule": "nightly"}}
    events.read(json.dumps({"paygrade": "batch", "key": "nightly 1", "batch": batch}))
    [found] = events.batches()
    assert (found["results"], found["metadata"]) == ("csv", {"schedule": "nightly"})
