"""The rights that making and updating a deployment takes, and which of them whoever we are has not."""

import re
from collections.abc import Iterator

from ecs.deployment import Deployment

ACTIONS = (
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeStackEvents",
    "cloudformation:ExecuteChangeSet",
    "cloudwatch:PutDashboard",
    "cloudwatch:PutMetricAlarm",
    "ec2:CreateSecurityGroup",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "ecr:CreateRepository",
    "ecr:PutImage",
    "ecs:CreateCluster",
    "ecs:CreateService",
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "ecs:UpdateService",
    "elasticfilesystem:CreateFileSystem",
    "elasticloadbalancing:CreateLoadBalancer",
    "iam:CreateRole",
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "logs:CreateLogGroup",
    "logs:FilterLogEvents",
    "s3:CreateBucket",
    "secretsmanager:CreateSecret",
    "secretsmanager:PutSecretValue",
    "servicediscovery:CreatePrivateDnsNamespace",
)
_SESSION = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.+")


def missing(deployment: Deployment, arn: str) -> Iterator[str]:
    """One sentence that names them all. Rights that depend on the resource are not told apart."""
    if arn.endswith(":root"):
        return
    pages = (
        deployment.aws.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(PolicySourceArn=_principal(arn), ActionNames=list(ACTIONS))
    )
    denied = [
        each["EvalActionName"]
        for page in pages
        for each in page["EvaluationResults"]
        if each["EvalDecision"] != "allowed"
    ]
    if denied:
        yield f"not allowed: {', '.join(denied)}"


def _principal(arn: str) -> str:
    """The role behind a session: policies are the role's."""
    session = _SESSION.fullmatch(arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn
