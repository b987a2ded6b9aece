"""A deployment uses two zones with Fargate, and keeps them."""

from typing import Any

import pytest

from ecs import zones
from ecs.errors import InvalidUsage
from tests.unit.ecs.conftest import StubClient

CURRENT = {"ZoneA": "eu-central-1a", "ZoneB": "eu-central-1b"}


def ec2_with(stub: StubClient, *zones: dict[str, str]) -> Any:
    client, aws = stub("ec2")
    aws.add_response("describe_availability_zones", {"AvailabilityZones": list(zones)})
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
    return ec2_with(stub, *(zone(f"eu-central-1{letter}") for letter in "cab"))


def test_a_new_deployment_uses_the_first_two_zones(stub: StubClient) -> None:
    assert zones.zone_parameters(eu(stub), "eu-central-1", None, {}) == CURRENT


def test_a_new_deployment_uses_the_requested_zones(stub: StubClient) -> None:
    parameters = zones.zone_parameters(eu(stub), "eu-central-1", "eu-central-1c,eu-central-1a", {})
    assert parameters == {"ZoneA": "eu-central-1c", "ZoneB": "eu-central-1a"}


def test_an_existing_deployment_keeps_its_zones(stub: StubClient) -> None:
    client, _ = stub("ec2")
    assert zones.zone_parameters(client, "eu-central-1", None, CURRENT) == {}
    assert zones.zone_parameters(client, "eu-central-1", "eu-central-1b,eu-central-1a", CURRENT) == {}


def test_the_zones_of_a_deployment_cannot_change(stub: StubClient) -> None:
    client, _ = stub("ec2")
    with pytest.raises(
        InvalidUsage, match="is in eu-central-1a and eu-central-1b, and its zones cannot change"
    ):
        zones.zone_parameters(client, "eu-central-1", "eu-central-1a,eu-central-1c", CURRENT)


def test_zones_without_fargate_are_omitted(stub: StubClient) -> None:
    client = ec2_with(
        stub,
        zone("ap-northeast-1a", "apne1-az4"),
        zone("ap-northeast-1b", "apne1-az3"),  # without Fargate
        zone("ap-northeast-1c", "apne1-az1", State="impaired"),
        zone("ap-northeast-1d", "apne1-az2"),
        zone("ap-northeast-1-tpe-1a", "apne1-tpe1-az1", ZoneType="local-zone"),
    )
    assert zones.zones_with_fargate(client, "ap-northeast-1") == ["ap-northeast-1a", "ap-northeast-1d"]


@pytest.mark.parametrize(
    "option", ["eu-central-1a", "eu-central-1a,eu-central-1a", "a,b", "", "eu-central-1a,x"]
)
def test_anything_but_two_zones_of_the_region_is_refused(stub: StubClient, option: str) -> None:
    with pytest.raises(InvalidUsage, match="must name two zones of eu-central-1") as refused:
        zones.zone_parameters(eu(stub), "eu-central-1", option, {})
    assert "eu-central-1a, eu-central-1b, eu-central-1c" in refused.value.next_step


def test_a_region_with_one_zone_is_refused(stub: StubClient) -> None:
    with pytest.raises(InvalidUsage, match="available in xx-1: xx-1a"):
        zones.zone_parameters(ec2_with(stub, zone("xx-1a")), "xx-1", None, {})
