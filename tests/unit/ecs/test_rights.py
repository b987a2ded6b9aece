"""What doctor asks for is what CloudFormation's own schemas say that it does with our rights."""

import re
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from ecs import rights
from ecs.invariants import Given
from tests.unit.ecs.conftest import StubClient
from tests.unit.ecs.templates import shipped
from tests.unit.ecs.test_deployment import StubbedAws

NOT_USED = re.compile(
    r"(cognito-idp|firehose|kms|s3tables|vpc-lattice|vpce):.*"
    r"|logs:(CreateLogStream|PutLogEvents)|s3:(GetObject|REST.*)|iam:DeleteOpenIDConnectProvider"
    r"|.*(Untag|RemoveTags|DeleteTags|DataProtection|LogDeliver|IndexPolic|ResourcePolic|BearerToken"
    r"|ReplicationConfiguration|RemoveRegions|ToRegions|Snapshot|BackupPolicy|LifecycleConfiguration"
    r"|FileSystemPolicy|FileSystemProtection|RepositoryPolicy|VpnGateway|IpamPools|EncryptionControl"
    r"|CapacityReservation|ListenerAttributes|RuleDescriptions|ServiceAttributes).*"
)
"""Rights for properties that the templates do not set."""
CHANGED_BY_OPTIONS = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::SecurityGroup",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
}
SHAPES = {
    "RedisOnElastiCache": {"Redis": "elasticache"},
    "Alarmed": {"AlarmEmail": "ada@example.com"},
    "MakeGitLabProvider": {"GitLabProject": "group/project"},
    "MakeGitHubProvider": {"GitHubRepository": "owner/name"},
}
"""By the condition that a resource is there under; under any other it is there as the deployment comes."""


def wanted(**parameters: str) -> set[str]:
    return rights.wanted(Given(shipped().base, parameters), Given(shipped().app, parameters))


def handled(kind: str) -> set[str]:
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
    events = ("create", "delete", "update") if kind in CHANGED_BY_OPTIONS else ("create", "delete")
    return {action for event in events for action in handlers[event]["permissions"]}


def resources() -> set[tuple[str, str]]:
    """The type of each, and its condition."""
    return {
        (resource["Type"], resource.get("Condition", ""))
        for template in (shipped().base, shipped().app)
        for resource in template["Resources"].values()
        if resource["Type"] != "AWS::S3::Bucket"  # of which the schema names all that a bucket could have
    }


@pytest.mark.parametrize(("kind", "condition"), sorted(resources()))
def test_all_that_cloudformation_does_for_us_is_asked_for(kind: str, condition: str) -> None:
    asked = wanted(**SHAPES.get(condition, {}))
    assert {action for action in handled(kind) - asked if not NOT_USED.fullmatch(action)} == set()


@pytest.mark.parametrize(
    ("service", "parameters"),
    [
        ("elasticache", {}),
        ("elasticfilesystem", {"Redis": "elasticache"}),
        ("elasticloadbalancing", {"LoadBalancing": "no"}),
        ("sns", {}),
    ],
)
def test_what_is_left_out_takes_no_rights(service: str, parameters: dict[str, str]) -> None:
    assert not {action for action in wanted(**parameters) if action.startswith(f"{service}:")}


def results(**decisions: str) -> dict[str, Any]:
    return {
        "EvaluationResults": [
            {"EvalActionName": f"ec2:{name}", "EvalDecision": said} for name, said in decisions.items()
        ]
    }


def test_the_rights_of_a_session_are_those_of_its_role(stub: StubClient) -> None:
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
    [said] = rights.missing(aws, session, {"ec2:CreateVpc", "ec2:CreateTags"})
    assert said.endswith(": ec2:CreateVpc")


def test_the_first_deployment_of_an_account_may_be_too_early(stub: StubClient) -> None:
    aws = StubbedAws(stub)
    aws.on("iam").add_client_error("get_role", "NoSuchEntity", "it cannot be found")
    [said] = rights.no_role_of_ecs(aws)
    assert "create-service-linked-role --aws-service-name ecs.amazonaws.com" in said
    role = {
        "Path": "/",
        "RoleName": "AWSServiceRoleForECS",
        "RoleId": "A" * 16,
        "Arn": "arn:aws:iam::1:role/x",
    }
    aws.on("iam").add_response("get_role", {"Role": {**role, "CreateDate": "2026-11-22"}})
    assert list(rights.no_role_of_ecs(aws)) == []
