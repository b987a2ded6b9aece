"""ministack, with the types of resources that it lacks. cfn-lint checks their properties."""

import secrets
from collections.abc import Callable
from typing import Any

from ministack.app import main
from ministack.core.responses import get_account_id
from ministack.services import budgets, ec2, iam
from ministack.services.cloudformation import provisioners

Made = tuple[str, dict[str, Any]]


def _new(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(8)}"


def _only_an_id(prefix: str) -> dict[str, Callable[..., Any]]:
    """Of what other resources refer to, and no command looks at."""
    return {
        "create": lambda logical_id, properties, stack: (_new(prefix), {}),
        "update": lambda physical_id, old, new, stack: (physical_id, {}),
        "delete": lambda physical_id, properties: None,
    }


def _create_rule(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    group = ec2._security_groups[properties["GroupId"]]
    group["IpPermissions"] += provisioners._ec2_sg_permissions([properties])
    return _new("sgr"), {}


def _create_list(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    name = _new("pl")
    ec2._prefix_lists[name] = {
        "PrefixListId": name,
        "PrefixListArn": f"arn:aws:ec2:eu-central-1:{get_account_id()}:prefix-list/{name}",
        "State": "create-complete",
        "Version": 1,
        "Tags": [],
        "OwnerId": get_account_id(),
        **properties,
    }
    return name, {}


def _update_list(name: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Made:
    ec2._prefix_lists[name] = {**ec2._prefix_lists[name], **new}
    return name, {}


def _create_provider(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    iam._create_oidc_provider(
        {
            "Url": [properties["Url"]],
            **{f"ClientIDList.member.{n}": [each] for n, each in enumerate(properties["ClientIdList"], 1)},
            **{
                f"ThumbprintList.member.{n}": [each]
                for n, each in enumerate(properties.get("ThumbprintList", ["0" * 40]), 1)
            },
        }
    )
    arn = f"arn:aws:iam::{get_account_id()}:oidc-provider/{properties['Url'].removeprefix('https://')}"
    return arn, {"Arn": arn}


def _create_budget(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    name = _new(logical_id)
    budgets._create_budget({**properties, "Budget": {**properties["Budget"], "BudgetName": name}})
    return name, {}


LACKING: dict[str, dict[str, Callable[..., Any]]] = {
    "AWS::ApiGatewayV2::VpcLink": _only_an_id("link"),
    "AWS::Budgets::Budget": {
        **_only_an_id("budget"),
        "create": _create_budget,
        "delete": lambda name, properties: budgets._delete_budget({"BudgetName": name}),
    },
    "AWS::IAM::OIDCProvider": {**_only_an_id("oidc"), "create": _create_provider},
    "AWS::EC2::PrefixList": {
        "create": _create_list,
        "update": _update_list,
        "delete": lambda name, properties: ec2._prefix_lists.pop(name, None),
    },
    "AWS::EC2::FlowLog": _only_an_id("fl"),
    "AWS::EC2::SecurityGroupIngress": {**_only_an_id("sgr"), "create": _create_rule},
    "AWS::EC2::VPCCidrBlock": _only_an_id("vpc-cidr-assoc"),
}
"""What ministack 1.5 does not make."""


def _with_ipv6(make: Callable[..., Made]) -> Callable[..., Made]:
    """A VPC has the network that AWS gives it, as soon as there is an AWS::EC2::VPCCidrBlock."""

    def made(*arguments: Any) -> Made:
        name, attributes = make(*arguments)
        return name, {**attributes, "Ipv6CidrBlocks": ["2001:db8:1234::/56"]}

    return made


def _with_boundary(make: Callable[..., Made]) -> Callable[..., Made]:
    """ministack leaves out the permissions boundary of a role that a template makes."""

    def made(*arguments: Any) -> Made:
        name, attributes = make(*arguments)
        properties = [each for each in arguments if isinstance(each, dict)][-1]
        iam._roles[name]["PermissionsBoundary"] = properties.get("PermissionsBoundary")
        return name, attributes

    return made


if __name__ == "__main__":
    handlers: dict[str, Any] = provisioners._RESOURCE_HANDLERS
    for kind, handler in LACKING.items():
        assert kind not in handlers, f"ministack makes {kind} now; take it off the list"
        handlers[kind] = handler
    vpc = handlers["AWS::EC2::VPC"]
    role = handlers["AWS::IAM::Role"]
    for event in ("create", "update"):
        role[event] = _with_boundary(role[event])
        vpc[event] = _with_ipv6(vpc[event])
    main()
