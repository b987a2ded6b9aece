"""The required actions match CloudFormation's schemas, which list the actions that its handlers take."""

import re
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from ecs import permissions
from ecs.template import ParameterizedTemplate
from tests.unit.ecs.conftest import StubClient
from tests.unit.ecs.templates import shipped
from tests.unit.ecs.test_deployment import StubbedAws

NOT_USED = re.compile(
    r"(autoscaling|cognito-idp|firehose|s3tables|vpc-lattice|vpce):.*"
    r"|logs:(CreateLogStream|PutLogEvents)|s3:(GetObject|REST.*)|iam:DeleteOpenIDConnectProvider"
    r"|s3:getObject|.*(DeleteServiceLinkedRole|ServiceLinkedRoleDeletionStatus)"
    r"|.*([Uu]n[Tt]ag|RemoveTags|DeleteTags|DataProtection|LogDeliver|IndexPolic|ResourcePolic|BearerToken"
    r"|ReplicationConfiguration|RemoveRegions|ToRegions|Snapshot|LifecycleConfiguration"
    r"|FileSystemPolicy|FileSystemProtection|RepositoryPolicy|VpnGateway|IpamPools|EncryptionControl"
    r"|events:(Put|Remove)Permission|(At|De)tach(Group|User)Policy"
    r"|CapacityReservation|IpamPoolCidr|ListenerAttributes|RuleDescriptions|ServiceAttributes).*"
)
"""Actions for properties that the templates do not set."""
CHANGED_BY_OPTIONS = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::PrefixList",
    "AWS::EC2::SecurityGroup",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
}
SHAPES = {
    "RedisOnElastiCache": {"Redis": "elasticache"},
    "InProduction": {"Production": "yes"},
    "FlowLogged": {"Production": "yes"},
    "AtApi": {"Front": "api"},
    "AtListener": {"Front": "listener"},
    "ByEmail": {"AlarmEmail": "ada@example.com"},
    "Budgeted": {"AlarmEmail": "ada@example.com", "Budget": "100"},
    "MakeCiProvider": {"CiIssuer": "gitlab.com"},
}
"""Parameters that make a condition true. Other conditions are true, or not needed, by default."""


def required(parameters: dict[str, str], events: bool = False) -> set[str]:
    return permissions.required_actions(
        ParameterizedTemplate(shipped().base, parameters),
        ParameterizedTemplate(shipped().app, parameters),
        events=events,
    )


def handler_actions(kind: str) -> set[str]:
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
    events = ("create", "delete", "update") if kind in CHANGED_BY_OPTIONS else ("create", "delete")
    actions = {action for event in events for action in handlers[event]["permissions"]}
    return {action.replace("EC2:", "ec2:") for action in actions}  # IAM ignores the case of a service


def resources() -> set[tuple[str, str]]:
    """Type and condition of each resource."""
    return {
        (resource["Type"], resource.get("Condition", ""))
        for template in (shipped().base, shipped().events, shipped().app)
        for resource in template["Resources"].values()
        if resource["Type"] != "AWS::S3::Bucket"  # its schema lists the actions for every possible property
    }


@pytest.mark.parametrize(("kind", "condition"), sorted(resources()))
def test_the_actions_of_cloudformation_are_required(kind: str, condition: str) -> None:
    actions = required(SHAPES.get(condition, {}), events=True)
    missing = {action for action in handler_actions(kind) - actions if not NOT_USED.fullmatch(action)}
    if kind != "AWS::KMS::Key":
        missing = {action for action in missing if not action.startswith("kms:")}
    assert missing == set()


@pytest.mark.parametrize(
    ("service", "parameters"),
    [
        ("elasticache", {}),
        ("elasticfilesystem", {"Redis": "elasticache"}),
        ("elasticloadbalancing", {"Front": "none"}),
        ("sns", {}),
        ("sqs", {}),
        ("scheduler", {}),
    ],
)
def test_a_resource_that_is_not_created_requires_no_actions(service: str, parameters: dict[str, str]) -> None:
    assert not {action for action in required(parameters) if action.startswith(f"{service}:")}


def results(**decisions: str) -> dict[str, Any]:
    return {
        "EvaluationResults": [
            {"EvalActionName": f"ec2:{name}", "EvalDecision": decision}
            for name, decision in decisions.items()
        ]
    }


def test_the_permissions_of_a_session_are_those_of_its_role(stub: StubClient) -> None:
    aws = StubbedAws(stub)
    aws.on("iam").add_response(
        "simulate_principal_policy",
        results(CreateVpc="implicitDeny", CreateTags="allowed"),
        {
            "PolicySourceArn": "arn:aws:iam::123456789012:role/ops",
            "ActionNames": ["ec2:CreateTags", "ec2:CreateVpc"],
        },
    )
    session = "arn:aws:sts::123456789012:assumed-role/ops/ada"
    [message] = permissions.denied(aws, session, {"ec2:CreateVpc", "ec2:CreateTags"})
    assert message.endswith(": ec2:CreateVpc")


def test_a_missing_service_linked_role_is_reported(stub: StubClient) -> None:
    aws = StubbedAws(stub)
    aws.on("iam").add_client_error("get_role", "NoSuchEntity", "it cannot be found")
    [message] = permissions.missing_service_linked_role(aws)
    assert "create-service-linked-role --aws-service-name ecs.amazonaws.com" in message
    role = {
        "Path": "/",
        "RoleName": "AWSServiceRoleForECS",
        "RoleId": "A" * 16,
        "Arn": "arn:aws:iam::1:role/x",
    }
    aws.on("iam").add_response("get_role", {"Role": {**role, "CreateDate": "2026-11-22"}})
    assert list(permissions.missing_service_linked_role(aws)) == []
