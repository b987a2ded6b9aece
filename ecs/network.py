"""A VPC and a load balancer that exist: whether tasks can run there, and what follows for the template."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from ecs import prices
from ecs.aws import Aws, code_of
from ecs.errors import InvalidUsage

ENDPOINTS = ("ecr.api", "ecr.dkr", "ecs", "logs", "secretsmanager")
"""What tasks need of AWS where they have no other way out; S3 has a gateway endpoint, which is free."""
_FIXED = {
    "ExistingVpc": "--vpc",
    "ExistingSubnets": "--subnets",
    "ExistingBalancerSubnets": "--balancer-subnets",
}


class Place(NamedTuple):
    aws: Aws
    name: str
    """The region and the account, for messages."""


def is_existing(base: Mapping[str, str]) -> bool:
    return bool(base.get("ExistingVpc"))


def check_fixed(current: Mapping[str, str], requested: Mapping[str, str]) -> None:
    """A network cannot change: CloudFormation would replace Redis' file system with it."""
    for parameter, option in _FIXED.items() if current else ():
        now = current.get(parameter, "")
        if requested.get(parameter, now) != now:
            raise InvalidUsage(
                f"{option} {requested[parameter]}: the deployment is in {now or 'its own VPC'}, "
                "and its network cannot change",
                "create another deployment with --stack NAME, or remove this one first: python -m ecs down",
            )


def check_own(app: Mapping[str, str], place: str) -> None:
    """A VPC of one's own has public subnets only."""
    if app.get("PublicAddresses") == "DISABLED":
        raise InvalidUsage(
            f"--private needs --vpc and --subnets in {place}, with a way to AWS: {ways_out()}",
            "pass --vpc ID --subnets ID,ID, or leave out --private: nothing can reach a task but its callers",
        )
    if app.get("Front") == "listener":
        raise InvalidUsage(
            f"--listener needs --vpc and --subnets: those of its load balancer in {place}",
            "pass --vpc ID --subnets ID,ID",
        )


def ways_out() -> str:
    endpoints = prices.endpoints_month(len(ENDPOINTS))
    return (
        f"NAT costs {prices.nat_month():.0f} USD a month and zone, endpoints {endpoints:.0f}, "
        "and through endpoints no webhook can be sent"
    )


def app_parameters(place: Place, base: Mapping[str, str], app: Mapping[str, str]) -> dict[str, str]:
    """Raises InvalidUsage if tasks or the load balancer could not work there."""
    ec2 = place.aws.client("ec2")
    vpc = base["ExistingVpc"]
    tasks = _subnets(ec2, place, vpc, base["ExistingSubnets"])
    balancer = _subnets(ec2, place, vpc, base["ExistingBalancerSubnets"])
    _check_names(ec2, place, vpc)
    private = app.get("PublicAddresses") == "DISABLED"
    for subnet in tasks:
        _check_way_out(ec2, place, subnet, private)
    if app.get("Front", "alb") == "alb" and app.get("Scheme") != "internal":
        for subnet in balancer:
            _check_public(ec2, place, subnet)
    dual = all(subnet.get("Ipv6CidrBlockAssociationSet") for subnet in balancer)
    listener = _listener_parameters(place, vpc, app) if app.get("Front") == "listener" else {}
    return {"AddressType": "dualstack" if dual else "ipv4", **listener}


def _subnets(ec2: Any, place: Place, vpc: str, ids: str) -> list[dict[str, Any]]:
    """Two subnets of the VPC in two zones."""
    wanted = ids.split(",")
    found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    chosen: list[dict[str, Any]] = [each for each in found if each["SubnetId"] in wanted]
    if not found:
        raise InvalidUsage(
            f"--vpc {vpc}: there is no such VPC with subnets in {place.name}",
            "check the id and --region; aws ec2 describe-vpcs lists those that there are",
        )
    if len(chosen) < len(set(wanted)):
        names = ", ".join(sorted(each["SubnetId"] for each in found)) or "none"
        raise InvalidUsage(
            f"--subnets {ids}: these are not in {vpc} in {place.name}", f"its subnets are {names}"
        )
    if len({each["AvailabilityZone"] for each in chosen}) != 2:
        raise InvalidUsage(
            f"--subnets {ids}: the two subnets must be in two zones", "choose one subnet in each of two zones"
        )
    return chosen


def _check_names(ec2: Any, place: Place, vpc: str) -> None:
    """Tasks find Redis and its file system by names in the VPC."""
    for attribute, key in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        if not ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)[key]["Value"]:
            raise InvalidUsage(
                f"{vpc} in {place.name} has {attribute} off, and tasks find Redis by its name",
                f"aws ec2 modify-vpc-attribute --vpc-id {vpc} --{_option_of(attribute)}",
            )


def _option_of(attribute: str) -> str:
    return {"enableDnsSupport": "enable-dns-support", "enableDnsHostnames": "enable-dns-hostnames"}[attribute]


def _check_way_out(ec2: Any, place: Place, subnet: dict[str, Any], private: bool) -> None:
    name = subnet["SubnetId"]
    route = _default_route(ec2, subnet)
    if not private:
        _check_public(ec2, place, subnet)
    elif route.startswith("igw-"):
        raise InvalidUsage(
            f"--private: {name} in {place.name} has its way out through an internet gateway, which needs "
            "public addresses",
            "choose subnets with NAT or endpoints, or leave out --private",
        )
    elif not route and (missing := _missing_endpoints(ec2, subnet["VpcId"])):
        raise InvalidUsage(
            f"--private: {name} in {place.name} has no way to {', '.join(missing)}; {ways_out()}",
            "add NAT or the endpoints, or choose other subnets",
        )


def _check_public(ec2: Any, place: Place, subnet: dict[str, Any]) -> None:
    if not _default_route(ec2, subnet).startswith("igw-"):
        raise InvalidUsage(
            f"{subnet['SubnetId']} in {place.name} has no route to an internet gateway",
            "choose public subnets, or pass --private for the tasks and --internal for the load balancer",
        )


def _default_route(ec2: Any, subnet: dict[str, Any]) -> str:
    """The id of the gateway to all other addresses; empty if there is none."""
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])[
        "RouteTables"
    ]
    own = [each for each in tables if _belongs(each, "SubnetId", subnet["SubnetId"])]
    main = [each for each in tables if _belongs(each, "Main", True)]
    for route in (own or main or [{"Routes": []}])[0]["Routes"]:
        if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") != "blackhole":
            ways = (
                "GatewayId",
                "NatGatewayId",
                "TransitGatewayId",
                "NetworkInterfaceId",
                "VpcPeeringConnectionId",
            )
            return next((str(route[way]) for way in ways if route.get(way)), "")
    return ""


def _belongs(table: dict[str, Any], key: str, value: object) -> bool:
    return any(each.get(key) == value for each in table.get("Associations", ()))


def _missing_endpoints(ec2: Any, vpc: str) -> list[str]:
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
    names = {
        each["ServiceName"].split(".", 3)[-1]
        for each in found
        if each["VpcId"] == vpc and each.get("State", "") != "deleted"
    }
    return [each for each in (*ENDPOINTS, "s3") if each not in names]


def _listener_parameters(place: Place, vpc: str, app: Mapping[str, str]) -> dict[str, str]:
    elb = place.aws.client("elbv2")
    arn = app["ListenerArn"]
    listener = _listener(elb, place, arn)
    [balancer] = elb.describe_load_balancers(LoadBalancerArns=[listener["LoadBalancerArn"]])["LoadBalancers"]
    if balancer["VpcId"] != vpc:
        raise InvalidUsage(
            f"--listener: its load balancer is in {balancer['VpcId']}, and the tasks are in {vpc}",
            "choose a listener of a load balancer in the same VPC",
        )
    return {
        "ListenerGroup": balancer["SecurityGroups"][0],
        "ListenerName": listener["LoadBalancerArn"].partition(":loadbalancer/")[2],
        "ListenerProtocol": listener["Protocol"].lower(),
        "RulePriority": app.get("RulePriority") or str(_free_priority(elb, arn)),
    }


def _listener(elb: Any, place: Place, arn: str) -> dict[str, Any]:
    try:
        found: list[dict[str, Any]] = elb.describe_listeners(ListenerArns=[arn])["Listeners"]
    except ClientError as error:
        if code_of(error) not in ("ListenerNotFound", "ListenerNotFoundException"):
            raise
        found = []
    if not found:
        raise InvalidUsage(
            f"--listener {arn}: there is no such listener in {place.name}",
            "aws elbv2 describe-listeners --load-balancer-arn ARN lists those of a load balancer",
        )
    return found[0]


def _free_priority(elb: Any, listener: str) -> int:
    """Behind the rules that exist."""
    rules = elb.describe_rules(ListenerArn=listener)["Rules"]
    return max((int(each["Priority"]) for each in rules if each["Priority"] != "default"), default=0) + 1
