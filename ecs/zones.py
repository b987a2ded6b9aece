"""The two zones of a deployment: settled when it is made, since a subnet cannot move to another."""

from collections.abc import Mapping
from typing import Any

from ecs.errors import BadInput

_FARGATE_ONLY_IN = {
    "ap-northeast-1": ("apne1-az1", "apne1-az2", "apne1-az4"),
    "cn-north-1": ("cnn1-az1", "cnn1-az2"),
    "us-west-1": ("usw1-az1", "usw1-az3"),
}
"""By ids, which are the same for everybody, as names are not. In the other regions it is in every zone.

From the developer guide of ECS, `Supported Regions for Amazon ECS on AWS Fargate`.
"""


def with_fargate(ec2: Any, region: str) -> list[str]:
    """The names of the region's zones in which tasks can run."""
    return sorted(
        zone["ZoneName"]
        for zone in ec2.describe_availability_zones()["AvailabilityZones"]
        if zone["State"] == "available"
        and zone.get("ZoneType") == "availability-zone"  # and not near some town
        and zone["ZoneId"] in _FARGATE_ONLY_IN.get(region, (zone["ZoneId"],))
    )


def settle(ec2: Any, region: str, wanted: str | None, before: Mapping[str, str]) -> dict[str, str]:
    """The parameters that say them; none if they are settled. Raises BadInput for what cannot be had."""
    asked = wanted.split(",") if wanted is not None else []
    if settled := [before[name] for name in ("ZoneA", "ZoneB") if name in before]:
        if asked and set(asked) != set(settled):
            raise BadInput(
                f"--zones {wanted}: the deployment is in {' and '.join(settled)}, and cannot move",
                "make another with --stack NAME, or take this one down first",
            )
        return {}
    there = with_fargate(ec2, region)
    chosen = asked or there[:2]
    if len(set(chosen)) != 2 or len(chosen) != 2 or not set(chosen) <= set(there):
        complaint = (
            f"--zones {wanted}: not two of {region}'s zones" if asked else f"{region} has too few zones"
        )
        raise BadInput(complaint, f"zones with Fargate: {', '.join(there) or 'none'}")
    return {"ZoneA": chosen[0], "ZoneB": chosen[1]}
