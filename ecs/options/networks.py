"""Where the tasks are, and from where web can be called."""

import argparse
import re
from ipaddress import ip_network

from ecs.errors import InvalidUsage
from ecs.options.formats import check_format, choice

_VPC = re.compile(r"vpc-[0-9a-f]{8,17}")
_SUBNETS = re.compile(r"subnet-[0-9a-f]{8,17},subnet-[0-9a-f]{8,17}")
NO_NETWORK = "none"
MOST_IPV4, MOST_IPV6 = 8, 4
"""As many conditions as the base template has."""


def add_network_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--allow-cidr",
        metavar="CIDR,…",
        help=f"networks that can reach web, up to {MOST_IPV4} of IPv4 and {MOST_IPV6} of IPv6 (default: all)",
    )
    group.add_argument(
        "--zones",
        metavar="ZONE,ZONE",
        help="availability zones, fixed once created (default: the region's first two with Fargate)",
    )
    group.add_argument("--vpc", metavar="ID", help="an existing VPC, fixed once created (default: a new one)")
    group.add_argument("--subnets", metavar="ID,ID", help="two subnets of --vpc for the tasks")
    group.add_argument(
        "--balancer-subnets",
        metavar="ID,ID",
        help="two subnets for the load balancer (default: those of the tasks)",
    )
    group.add_argument(
        "--private",
        action=argparse.BooleanOptionalAction,
        help="tasks without public addresses, in subnets of --vpc that have NAT or endpoints",
    )


def network_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """The parameters of the base. Raises InvalidUsage for values that AWS would refuse."""
    _check_formats(options)
    return {
        **_callers(options.allow_cidr),
        "ExistingVpc": options.vpc,
        "ExistingSubnets": options.subnets,
        "ExistingBalancerSubnets": options.balancer_subnets or options.subnets,
    }


def address_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """The parameters of the app."""
    return {"PublicAddresses": choice(options.private, "DISABLED", "ENABLED")}


def _check_formats(options: argparse.Namespace) -> None:
    check_format(_VPC, "--vpc", options.vpc, "vpc-0123456789abcdef0")
    for option, value in (("--subnets", options.subnets), ("--balancer-subnets", options.balancer_subnets)):
        check_format(_SUBNETS, option, value, "subnet-0123456789abcdef0,subnet-0fedcba9876543210")
    if options.subnets and not options.vpc:
        raise InvalidUsage("--subnets needs --vpc, the VPC that they belong to", "pass --vpc ID as well")
    if options.vpc and not options.subnets:
        raise InvalidUsage("--vpc needs --subnets: two of its subnets, in two zones", "pass --subnets ID,ID")


def _callers(value: str | None) -> dict[str, str | None]:
    """Each list filled up, since a template cannot count."""
    if value is None:
        return {}
    try:
        networks = [ip_network(each.strip()) for each in value.split(",")]
    except ValueError as error:
        raise InvalidUsage(
            f"--allow-cidr {value}: {error}", "for example 203.0.113.0/24,2001:db8::/32"
        ) from None
    lists = {}
    for version, name, most in ((4, "AllowCidrs", MOST_IPV4), (6, "AllowCidrs6", MOST_IPV6)):
        own = [str(each) for each in networks if each.version == version]
        if len(own) > most:
            raise InvalidUsage(
                f"--allow-cidr: these are {len(own)} networks of IPv{version}, and {most} are possible",
                "join neighbouring networks into larger ones",
            )
        lists[name] = ",".join([*own, *[NO_NETWORK] * (most - len(own))])
    return dict(lists)
