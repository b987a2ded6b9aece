"""The two availability zones of a deployment, fixed at creation, since a subnet cannot change its zone."""

from collections.abc import Mapping
from typing import Any

from ecs.errors import InvalidUsage

_ZONES_WITH_FARGATE = {
    "ap-northeast-1": ("apne1-az1", "apne1-az2", "apne1-az4"),
    "cn-north-1": ("cnn1-az1", "cnn1-az2"),
    "us-west-1": ("usw1-az1", "usw1-az3"),
}
"""Zone ids, which unlike zone names mean the same in every account. All zones of other regions have Fargate.

Source: ECS developer guide, `Supported Regions for Amazon ECS on AWS Fargate`.
"""


def zones_with_fargate(ec2: Any, region: str) -> list[str]:
    """The names of the zones, sorted."""
    return sorted(
        zone["ZoneName"]
        for zone in ec2.describe_availability_zones()["AvailabilityZones"]
        if zone["State"] == "available"
        and zone.get("ZoneType") == "availability-zone"  # not a local zone
        and zone["ZoneId"] in _ZONES_WITH_FARGATE.get(region, (zone["ZoneId"],))
    )


def zone_parameters(ec2: Any, region: str, option: str | None, current: Mapping[str, str]) -> dict[str, str]:
    """Parameters for a new deployment; none for an existing one. Raises InvalidUsage for impossible zones.

    `option` is the value of --zones, `current` the current parameters of the app stack.
    """
    requested = option.split(",") if option is not None else []
    if fixed := [current[name] for name in ("ZoneA", "ZoneB") if name in current]:
        if requested and set(requested) != set(fixed):
            raise InvalidUsage(
                f"--zones {option}: the deployment is in {' and '.join(fixed)}, and its zones cannot change",
                "create another deployment with --stack NAME, or remove this one first: python -m ecs down",
            )
        return {}
    available = zones_with_fargate(ec2, region)
    chosen = requested or available[:2]
    if len(set(chosen)) != 2 or len(chosen) != 2 or not set(chosen) <= set(available):
        names = ", ".join(available) or "none"
        if requested:
            raise InvalidUsage(
                f"--zones {option}: this must name two zones of {region} that have Fargate",
                f"choose two of: {names}",
            )
        raise InvalidUsage(
            f"a deployment needs two zones with Fargate; available in {region}: {names}",
            "choose another region with --region",
        )
    return {"ZoneA": chosen[0], "ZoneB": chosen[1]}
