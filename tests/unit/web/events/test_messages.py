"""What a message wants, and by which mark its copies are known."""

import json
from typing import Any

import pytest

from tests.unit.web.events.created import ETAG, created
from web.events.messages import FileVersion, NotABatch, WantedBatch, read_message


def file_of(message: str) -> FileVersion:
    file = read_message(message)
    assert isinstance(file, FileVersion)
    return file


def own(**members: Any) -> str:
    return json.dumps({"paygrade": "batch", "key": "1", "batch": {"rows": [{}]}, **members})


def test_a_file_right_below_input_is_scored_by_the_default_model() -> None:
    file = file_of(created("input/people.csv"))
    assert (file.bucket, file.key, file.etag) == ("salaries", "input/people.csv", ETAG)
    assert file.batch(file.key).body == {
        "input": "s3://salaries/input/people.csv",
        "output": "s3://salaries/output/people.csv",
        "metadata": {
            "input": "s3://salaries/input/people.csv",
            "output": "s3://salaries/output/people.csv",
        },
    }


def test_a_folder_names_the_model() -> None:
    body = file_of(created()).batch("input/wages@champion/2026/11/people.csv").body
    assert body["model"] == "wages@champion"
    assert body["output"] == "s3://salaries/output/wages@champion/2026/11/people.csv"


def test_an_address_that_is_too_long_for_metadata_is_left_out() -> None:
    assert file_of(created()).batch(f"input/{'a' * 600}.csv").body["metadata"] == {}


def test_copies_have_one_mark_and_versions_have_their_own() -> None:
    def mark(*arguments: Any, **named: Any) -> str:
        return file_of(created(*arguments, **named)).mark

    assert mark() == mark()
    others = [
        mark("input/other.csv"),
        mark(etag="f" * 32),
        mark(sequencer="617f08299329d18a"),
        mark(version_id="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"),
        mark(version_id="another"),
    ]
    assert len({mark(), *others}) == 6


def test_a_version_is_known_whatever_else_its_event_says() -> None:
    first, second = (file_of(created(version_id="1", sequencer=each)) for each in ("a", "b"))
    assert first.mark == second.mark


@pytest.mark.parametrize("key", ["input/", "input/salary/", "input/salary/_SUCCESS", "input/.tmp/people.csv"])
def test_folders_and_hidden_files_are_no_batches(key: str) -> None:
    assert read_message(created(key)) is None


def test_a_message_of_ours_is_the_body_of_a_batch() -> None:
    wanted = read_message(own(key="nightly 2026-11-28T01:00:00Z"))
    assert isinstance(wanted, WantedBatch)
    assert wanted.body == {"rows": [{}]}
    assert wanted.mark != file_of(created()).mark


@pytest.mark.parametrize(
    "message",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        created("output/people.csv"),
        created("inputs/people.csv"),
        created("input/people*.csv"),
        created("input/people[1].csv"),
        json.dumps({**json.loads(created()), "detail-type": "Object Deleted"}),
        json.dumps({**json.loads(created()), "source": "aws.ec2"}),
        json.dumps({**json.loads(created()), "detail": {"bucket": {"name": "salaries"}}}),
        own(key=""),
        own(key=None),
        own(batch="rows"),
        own(batch={"rows": [{}], "dry_run": True}),
        own(paygrade="prediction"),
    ],
)
def test_what_can_never_become_a_batch_says_why(message: str) -> None:
    with pytest.raises(NotABatch, match=r"\w{3}"):
        read_message(message)
