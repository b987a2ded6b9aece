"""What each role allows and denies, according to IAM's policy simulator."""

import json
from typing import Any

import pytest

from tests.integration.ecs.cloud import REGION, Cloud
from tests.integration.ecs.conftest import up

ACCOUNT = "000000000000"
NAME = "rights"
BUCKET = f"arn:aws:s3:::{NAME}-files-{ACCOUNT}-{REGION}"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


FILES = f"{BUCKET}/batches/batch_1/input"
APP_STACK = arn("cloudformation", f"stack/{NAME}-app/1")
ALLOWED = {
    "WebRole": [
        ("s3:GetObject", FILES),
        ("s3:PutObject", FILES),
        ("s3:DeleteObject", FILES),
        ("s3:ListBucket", BUCKET),
        ("ecs:DescribeServices", arn("ecs", f"service/{NAME}/worker")),
        ("ecs:DescribeServices", arn("ecs", f"service/{NAME}/worker-spot")),
        ("ecs:UpdateService", arn("ecs", f"service/{NAME}/worker")),
        ("ecs:UpdateService", arn("ecs", f"service/{NAME}/worker-spot")),
        ("s3:GetObject", "arn:aws:s3:::models/ours/salary/1/bundle.json"),
        ("s3:GetObject", "arn:aws:s3:::data/in/rows.csv"),
        ("s3:ListBucket", "arn:aws:s3:::data"),
        ("s3:GetObject", f"{BUCKET}/input/salary/people.csv"),
        ("sqs:ReceiveMessage", arn("sqs", f"{NAME}-events")),
        ("sqs:DeleteMessage", arn("sqs", f"{NAME}-events")),
        ("sqs:ChangeMessageVisibility", arn("sqs", f"{NAME}-events")),
        ("sqs:SendMessage", arn("sqs", f"{NAME}-events-dead")),
        ("events:PutEvents", arn("events", f"event-bus/{NAME}")),
        ("sns:Publish", arn("sns", f"{NAME}-ended")),
    ],
    "ScheduleRole": [("sqs:SendMessage", arn("sqs", f"{NAME}-events"))],
    "WorkerRole": [
        ("s3:GetObject", "arn:aws:s3:::models/ours/salary/1/model.ubj"),
        ("s3:PutObject", "arn:aws:s3:::data/in/results.csv"),
        ("s3:PutObject", f"{BUCKET}/output/salary/people.csv/batch_1/result.csv"),
        ("s3:GetObject", FILES),
        ("s3:PutObject", FILES),
        ("s3:AbortMultipartUpload", FILES),
        ("s3:ListBucket", BUCKET),
        ("s3:ListBucketMultipartUploads", BUCKET),
    ],
    "DeployRole": [
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:PutImage", arn("ecr", f"repository/{NAME}/web")),
        ("cloudformation:ExecuteChangeSet", APP_STACK),
        ("ecs:RegisterTaskDefinition", arn("ecs", f"task-definition/{NAME}-worker:*")),
        ("ecs:UpdateService", arn("ecs", f"service/{NAME}/web")),
        ("ecs:DescribeServiceDeployments", arn("ecs", f"service-deployment/{NAME}/web/1")),
        ("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/teams/data/{NAME}-app-WebRole"),
        ("logs:FilterLogEvents", arn("logs", f"log-group:/ecs/{NAME}/worker")),
    ],
}
DENIED_TO_ALL = [
    ("iam:CreateUser", "*"),
    ("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/admin"),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin"),
    ("s3:GetObject", "arn:aws:s3:::somebody-elses/file"),
    ("s3:GetObject", "arn:aws:s3:::models/theirs/salary/1/bundle.json"),
    ("s3:GetObject", "arn:aws:s3:::models/ours-too/salary/1/bundle.json"),
    ("s3:PutObject", "arn:aws:s3:::models/ours/salary/1/model.ubj"),
    ("s3:GetObject", "arn:aws:s3:::data/in-of-others/rows.csv"),
    ("s3:DeleteBucket", BUCKET),
    ("s3:PutBucketPolicy", BUCKET),
    ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:another")),
    ("ec2:RunInstances", "*"),
    ("ecs:DeleteCluster", arn("ecs", f"cluster/{NAME}")),
    ("ecs:RunTask", arn("ecs", "task-definition/another:1")),
    ("ecs:RegisterTaskDefinition", arn("ecs", f"task-definition/{NAME}-too-web:1")),
    ("cloudformation:DeleteStack", APP_STACK),
    ("cloudformation:ExecuteChangeSet", arn("cloudformation", "stack/another/1")),
    ("cloudformation:ExecuteChangeSet", arn("cloudformation", "changeSet/paygrade-0123456789ab/1")),
    ("ecr:PutImage", arn("ecr", "repository/another/web")),
    ("ecr:DeleteRepository", arn("ecr", f"repository/{NAME}/web")),
    ("logs:DeleteLogGroup", arn("logs", f"log-group:/ecs/{NAME}/web")),
    ("kms:Decrypt", "*"),
    ("sqs:SendMessage", arn("sqs", "another")),
    ("sqs:PurgeQueue", arn("sqs", f"{NAME}-events")),
    ("sqs:ReceiveMessage", arn("sqs", f"{NAME}-events-dead")),
    ("events:PutEvents", arn("events", "event-bus/default")),
    ("events:PutRule", arn("events", f"rule/{NAME}-events-NewFiles")),
    ("sns:Publish", arn("sns", "another")),
]
DENIED_TO_TASKS = [
    ("s3:GetObject", f"{BUCKET}/elsewhere/file"),
    ("ecs:UpdateService", arn("ecs", f"service/{NAME}/web")),
    ("ecs:UpdateService", arn("ecs", f"service/{NAME}/redis")),
    ("ecs:UpdateService", arn("ecs", "service/another/worker")),
    ("ecs:RunTask", arn("ecs", f"task-definition/{NAME}-worker:1")),
    ("secretsmanager:GetSecretValue", arn("secretsmanager", f"secret:{NAME}-base-RedisPassword")),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{NAME}-app-WebRole"),
]
EXECUTION = ("WebExecutionRole", "WorkerExecutionRole", "RedisExecutionRole")
ROLES = (*EXECUTION, "WebRole", "WorkerRole", "RedisRole", "ScheduleRole", "DeployRole")
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/limit"
PATH = "/teams/data/"


@pytest.fixture(scope="module")
def roles(cloud: Cloud) -> dict[str, str]:
    """The ARN of each role by its logical id."""
    cloud.client("iam").create_open_id_connect_provider(
        Url="https://gitlab.com", ClientIDList=["https://gitlab.com"], ThumbprintList=["0" * 40]
    )
    cloud.client("s3").create_bucket(
        Bucket="models", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    cloud.client("s3").put_object(Bucket="models", Key="ours/salary/1/bundle.json", Body=b"{}")
    cloud.client("iam").create_policy(
        PolicyName="limit",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        ),
    )
    places = [
        "--boundary",
        BOUNDARY,
        "--role-path",
        PATH,
        "--bundles",
        "s3://models/ours",
        "--set",
        "PAYGRADE_S3_ALLOW=s3://data/in",
    ]
    up(cloud, NAME, "--gitlab", "group/project", "--events", *places)
    cloudformation = cloud.client("cloudformation")
    resources: list[dict[str, Any]] = [
        resource
        for stack in (f"{NAME}-base", f"{NAME}-events", f"{NAME}-app")
        for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    ]
    return {
        # Without the path: ministack looks roles up by their names.
        resource["LogicalResourceId"]: f"arn:aws:iam::{ACCOUNT}:role/{resource['PhysicalResourceId']}"
        for resource in resources
        if resource["ResourceType"] == "AWS::IAM::Role"
    }


def allows(cloud: Cloud, role: str, action: str, resource: str) -> bool:
    """ministack knows no condition on a cluster; tests/unit/ecs/access.py looks at those."""
    [result] = cloud.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
    )["EvaluationResults"]
    return bool(result["EvalDecision"] == "allowed")


def test_every_role_is_tested(roles: dict[str, str]) -> None:
    assert set(roles) == set(ROLES)


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_allows_what_its_work_takes(cloud: Cloud, roles: dict[str, str], role: str) -> None:
    assert [each for each in ALLOWED[role] if not allows(cloud, roles[role], *each)] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_allows_nothing_else(cloud: Cloud, roles: dict[str, str], role: str) -> None:
    denied = DENIED_TO_ALL + (DENIED_TO_TASKS if role != "DeployRole" else [])
    assert [each for each in denied if allows(cloud, roles[role], *each)] == []


@pytest.mark.parametrize("role", EXECUTION)
def test_an_execution_role_reads_the_secret_of_its_task_and_no_other(
    cloud: Cloud, roles: dict[str, str], role: str
) -> None:
    document = cloud.client("iam").get_role_policy(
        RoleName=roles[role].rpartition("/")[2], PolicyName="start"
    )["PolicyDocument"]
    read = [each["Resource"] for each in document["Statement"] if "secretsmanager" in str(each["Action"])]
    secrets = cloud.client("secretsmanager").list_secrets()["SecretList"]
    [name] = [each["Name"] for each in secrets if each["Name"] in str(read)]
    assert ("RedisPassword" if role == "RedisExecutionRole" else "RedisUrl") in name


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_the_boundary_and_the_path(cloud: Cloud, roles: dict[str, str], role: str) -> None:
    found = cloud.client("iam").get_role(RoleName=roles[role].rpartition("/")[2])["Role"]
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert found["Path"] == PATH


def test_an_operator_with_the_printed_policy_may_do_what_up_does(cloud: Cloud, roles: dict[str, str]) -> None:
    printed = cloud.ecs("rights", "--stack", NAME, "--json")
    assert printed.status == 0, printed.err
    iam = cloud.client("iam")
    trust = {"Version": "2012-10-17", "Statement": []}
    operator = iam.create_role(RoleName="operator", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="operator", PolicyName="rights", PolicyDocument=printed.out)
    for action, resource in ALLOWED["DeployRole"]:
        if not action.startswith("iam:"):
            assert allows(cloud, operator, action, resource), action
    assert not allows(cloud, operator, "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/admin")
    assert not allows(cloud, operator, "ecs:UpdateService", arn("ecs", "service/another/web"))
    assert not allows(
        cloud, operator, "secretsmanager:GetSecretValue", arn("secretsmanager", "secret:another")
    )
