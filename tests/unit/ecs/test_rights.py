"""The policy of an operator: enough for every command, small enough for IAM, and no wider than it must be."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from ecs import permissions, rights
from ecs.template import ParameterizedTemplate
from tests.unit.ecs.templates import shipped

PLACE = {
    "partition": "aws",
    "region": "eu-central-1",
    "account": "123456789012",
    "name": "paygrade",
    "path": "/teams/",
}
LARGEST = {
    "Redis": "ecs",
    "AlarmEmail": "a@b.c",
    "Budget": "100",
    "CiIssuer": "gitlab.com",
    "PermissionsBoundary": "arn:boundary",
    "Production": "yes",
}


def actions(**parameters: str) -> set[str]:
    return permissions.required_actions(
        ParameterizedTemplate(shipped().base, parameters),
        ParameterizedTemplate(shipped().app, parameters),
        events=True,
    )


def statements(boundary: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rights.policy(actions(**LARGEST), PLACE, boundary)["Statement"]
    return found


@pytest.mark.parametrize("boundary", ["", "arn:boundary"])
def test_every_action_is_allowed_once_and_only_readings_in_groups(boundary: str) -> None:
    allowed = [action for statement in statements(boundary) for action in statement["Action"]]
    for action in actions(**LARGEST):
        assert len([each for each in allowed if fnmatchcase(action, each)]) == 1, action
    groups = [each for each in allowed if "*" in each]
    assert all(re.fullmatch(r"[a-z0-9]+:(Describe|Get|List|BatchGet)\*", each) for each in groups)
    assert not [each for each in groups if fnmatchcase("secretsmanager:GetSecretValue", each)]


def test_the_policy_fits_into_a_role() -> None:
    document = rights.policy(actions(**LARGEST), PLACE, "arn:boundary")
    assert len(json.dumps(document, separators=(",", ":"))) <= rights.MAX_CHARACTERS


def test_only_roles_of_the_deployment_are_made_and_only_with_the_boundary() -> None:
    [making] = [each for each in statements("arn:boundary") if "iam:CreateRole" in each["Action"]]
    assert making["Resource"] == [
        f"arn:aws:iam::123456789012:role/teams/paygrade-{stack}-*" for stack in ("base", "app", "events")
    ]
    assert making["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": "arn:boundary"}}


@pytest.mark.parametrize(
    "action",
    [
        "cloudformation:ExecuteChangeSet",
        "ecr:PutImage",
        "ecs:UpdateService",
        "iam:PassRole",
        "logs:DeleteLogGroup",
        "s3:DeleteBucket",
        "secretsmanager:GetSecretValue",
        "sqs:DeleteQueue",
        "scheduler:CreateSchedule",
        "events:PutRule",
        "iam:CreatePolicy",
    ],
)
def test_a_service_whose_resources_have_names_is_restricted_to_those_of_the_deployment(action: str) -> None:
    [statement] = [each for each in statements() if action in each["Action"]]
    assert statement["Resource"] != ["*"]
