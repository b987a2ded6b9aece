"""A failed change reports its cause and leaves the previous state, and a second run succeeds."""

import pytest

from tests.integration.ecs.cloud import Cloud
from tests.integration.ecs.conftest import up

REASON = "could not be resolved"


def test_a_failed_first_up_does_not_block_the_next(cloud: Cloud, stack: str) -> None:
    cloud.ecs("up", "--stack", stack, "--tag", "v1", "--yes")
    cloud.push(stack, "v1")
    delete_password(cloud, stack)
    failed = cloud.ecs("up", "--stack", stack, "--tag", "v1", "--yes")
    assert failed.status == 1
    message, next_step = failed.err.splitlines()
    assert message.startswith(f"ecs: {stack}-app failed: RedisUrl")
    assert REASON in message
    assert "run the same command again" in next_step
    assert cloud.ecs("down", "--stack", stack, "--yes").status == 0
    up(cloud, stack)


def test_a_failed_update_is_rolled_back(cloud: Cloud, running: str) -> None:
    before = cloud.ecs("ps", "--json", "--stack", running).json
    delete_password(cloud, running)
    failed = cloud.ecs("up", "--redis", "elasticache", "--lose-jobs", "--yes", "--stack", running)
    assert failed.status == 1
    assert REASON in failed.err
    assert "restored the previous state" in failed.err
    assert cloud.ecs("ps", "--json", "--stack", running).json["address"] == before["address"]
    # A rolled back deployment accepts the next change.
    assert cloud.ecs("up", "--most", "9", "--yes", "--stack", running).status == 0


def test_doctor_reports_manual_changes(cloud: Cloud, running: str) -> None:
    assert check(cloud, running, "manual changes") == ("ok", "")
    cloud.client("logs").put_retention_policy(logGroupName=f"/ecs/{running}/web", retentionInDays=1)
    status, detail = check(cloud, running, "manual changes")
    assert status == "wrong"
    assert detail == "WebLogs modified /RetentionInDays"
    cloud.client("logs").delete_log_group(logGroupName=f"/ecs/{running}/worker")
    assert "WorkerLogs deleted" in check(cloud, running, "manual changes")[1]


def test_doctor_reports_missing_images(cloud: Cloud, running: str) -> None:
    result = cloud.ecs("doctor", "--tag", "v9", "--json", "--stack", running)
    assert result.status == 1
    [images] = [each for each in result.json if each["check"] == "images"]
    assert images["status"] == "wrong"
    assert "python -m ecs push --tag v9" in images["detail"]


@pytest.mark.parametrize("options", [["--zones", "eu-central-1a"], ["--domain", "pay.example.com"]])
def test_doctor_reports_what_up_would_refuse(cloud: Cloud, stack: str, options: list[str]) -> None:
    refused = cloud.ecs("up", "--tag", "v1", "--yes", "--stack", stack, *options)
    message = refused.err.splitlines()[0].removeprefix("ecs: ")
    [reported] = [
        each
        for each in cloud.ecs("doctor", "--tag", "v1", "--json", "--stack", stack, *options).json
        if each["check"] == "network and HTTPS"
    ]
    assert reported["status"] == "wrong"
    assert message in reported["detail"]


def test_files_outlive_the_deployment_until_they_are_deleted(cloud: Cloud, running: str) -> None:
    s3 = cloud.client("s3")
    bucket = f"{running}-files-000000000000-eu-central-1"
    s3.put_object(Bucket=bucket, Key="batches/1/input", Body=b"years\n2.5\n")
    removed = cloud.ecs("down", "--yes", "--stack", running)
    assert removed.status == 0
    assert f"{bucket} (objects: 1," in removed.out
    assert "USD a month" in removed.out
    # A new deployment uses the bucket and its files again.
    up(cloud, running)
    assert s3.get_object(Bucket=bucket, Key="batches/1/input")["Body"].read() == b"years\n2.5\n"
    removed = cloud.ecs("down", "--yes", "--stack", running, "--delete-files")
    assert f"nothing of {running} is left" in removed.out
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_files_of_a_removed_deployment_can_still_be_deleted(cloud: Cloud, running: str) -> None:
    bucket = f"{running}-files-000000000000-eu-central-1"
    cloud.client("s3").put_object(Bucket=bucket, Key="batches/1/input", Body=b"x")
    cloud.ecs("down", "--yes", "--stack", running)
    result = cloud.ecs("down", "--yes", "--stack", running)
    assert result.status == 2
    assert "--delete-files" in result.err
    assert cloud.ecs("down", "--yes", "--delete-files", "--stack", running).status == 0


def test_keys_are_shown_once_and_kept_as_hashes(cloud: Cloud, running: str) -> None:
    created = cloud.ecs("key", "add", "alice", "--json", "--stack", running).json
    stored = [
        cloud.client("secretsmanager").get_secret_value(SecretId=each["ARN"]).get("SecretString", "")
        for each in cloud.client("secretsmanager").list_secrets()["SecretList"]
        if each["Name"].startswith(f"{running}-base-ApiKeys")
    ]
    assert created["key"] not in str(stored)
    assert [entry.split(":")[0] for entry in stored[0].split(",")] == ["first", "alice"]


def test_a_stack_of_something_else_is_left_alone(cloud: Cloud, stack: str) -> None:
    template = '{"Resources": {"Theirs": {"Type": "AWS::SNS::Topic"}}}'
    cloud.client("cloudformation").create_stack(StackName=f"{stack}-base", TemplateBody=template)
    for command in (["up", "--tag", "v1", "--yes"], ["plan", "--tag", "v1"]):
        refused = cloud.ecs(*command, "--stack", stack)
        assert refused.status == 2
        message, next_step = refused.err.splitlines()
        assert f"the stack {stack}-base in region eu-central-1 of account" in message
        assert "is none of Paygrade's" in message
        assert "--stack" in next_step
    found = cloud.client("cloudformation").describe_stack_resources(StackName=f"{stack}-base")
    assert [each["LogicalResourceId"] for each in found["StackResources"]] == ["Theirs"]


def delete_password(cloud: Cloud, stack: str) -> None:
    secrets = cloud.client("secretsmanager")
    for each in secrets.list_secrets()["SecretList"]:
        if each["Name"].startswith(f"{stack}-base-RedisPassword"):
            secrets.delete_secret(SecretId=each["ARN"], ForceDeleteWithoutRecovery=True)


def check(cloud: Cloud, stack: str, name: str) -> tuple[str, str]:
    """The status and detail of one check of doctor."""
    checks = cloud.ecs("doctor", "--json", "--stack", stack).json
    [each] = [each for each in checks if each["check"] == name]
    return each["status"], each["detail"]
