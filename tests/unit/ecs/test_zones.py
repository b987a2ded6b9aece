"""A deployment is in two zones with Fargate, and stays there."""

from typing import Any

import pytest

from ecs import zones
from ecs.errors import BadInput
from tests.unit.ecs.conftest import StubClient

SETTLED = {"ZoneA": "eu-central-1a", "ZoneB": "eu-central-1b"}


def asked(stub: StubClient, *there: dict[str, str]) -> Any:
    client, aws = stub("ec2")
    aws.add_response("describe_availability_zones", {"AvailabilityZones": list(there)})
    return client


def zone(name: str, zone_id: str = "id", **other: str) -> dict[str, str]:
    return {
        "ZoneName": name,
        "ZoneId": zone_id,
        "State": "available",
        "ZoneType": "availability-zone",
        **other,
    }


def eu(stub: StubClient) -> Any:
    return asked(stub, *(zone(f"eu-central-1{letter}") for letter in "cab"))


def test_at_first_they_are_the_first_two(stub: StubClient) -> None:
    assert zones.settle(eu(stub), "eu-central-1", None, {}) == SETTLED


def test_or_those_that_are_asked_for(stub: StubClient) -> None:
    wanted = zones.settle(eu(stub), "eu-central-1", "eu-central-1c,eu-central-1a", {})
    assert wanted == {"ZoneA": "eu-central-1c", "ZoneB": "eu-central-1a"}


def test_once_settled_they_are_not_asked_for_again(stub: StubClient) -> None:
    client, _ = stub("ec2")
    assert zones.settle(client, "eu-central-1", None, SETTLED) == {}
    assert zones.settle(client, "eu-central-1", "eu-central-1b,eu-central-1a", SETTLED) == {}


def test_a_deployment_does_not_move(stub: StubClient) -> None:
    client, _ = stub("ec2")
    with pytest.raises(BadInput, match="is in eu-central-1a and eu-central-1b, and cannot move"):
        zones.settle(client, "eu-central-1", "eu-central-1a,eu-central-1c", SETTLED)


def test_zones_in_which_no_task_can_run_are_left_out(stub: StubClient) -> None:
    client = asked(
        stub,
        zone("ap-northeast-1a", "apne1-az4"),
        zone("ap-northeast-1b", "apne1-az3"),  # without Fargate
        zone("ap-northeast-1c", "apne1-az1", State="impaired"),
        zone("ap-northeast-1d", "apne1-az2"),
        zone("ap-northeast-1-tpe-1a", "apne1-tpe1-az1", ZoneType="local-zone"),
    )
    assert zones.with_fargate(client, "ap-northeast-1") == ["ap-northeast-1a", "ap-northeast-1d"]


@pytest.mark.parametrize(
    "wanted", ["eu-central-1a", "eu-central-1a,eu-central-1a", "a,b", "", "eu-central-1a,x"]
)
def test_what_are_not_two_of_the_region_is_refused(stub: StubClient, wanted: str) -> None:
    with pytest.raises(BadInput, match="not two of eu-central-1") as refused:
        zones.settle(eu(stub), "eu-central-1", wanted, {})
    assert "eu-central-1a, eu-central-1b, eu-central-1c" in refused.value.next_step


def test_a_region_with_one_zone_is_refused(stub: StubClient) -> None:
    with pytest.raises(BadInput, match="xx-1 has too few zones"):
        zones.settle(asked(stub, zone("xx-1a")), "xx-1", None, {})
