"""A change that fails says why first, leaves what was, and a second run mends it."""

import pytest

from tests.integration.ecs.cloud import Cloud
from tests.integration.ecs.conftest import up

REASON = "could not be resolved"


def test_a_first_up_that_fails_leaves_nothing_in_the_way(cloud: Cloud, stack: str) -> None:
    cloud.ecs("up", "--stack", stack, "--tag", "v1", "--yes")
    cloud.push(stack, "v1")
    lose_password(cloud, stack)
    failed = cloud.ecs("up", "--stack", stack, "--tag", "v1", "--yes")
    assert failed.status == 1
    complaint, next_step = failed.err.splitlines()
    assert complaint.startswith(f"ecs: {stack}-app failed: RedisUrl")
    assert REASON in complaint
    assert "run the same again" in next_step
    assert cloud.ecs("down", "--stack", stack, "--yes").status == 0
    up(cloud, stack)


def test_an_update_that_fails_is_taken_back(cloud: Cloud, running: str) -> None:
    before = cloud.ecs("ps", "--json", "--stack", running).json
    lose_password(cloud, running)
    failed = cloud.ecs("up", "--redis", "elasticache", "--yes", "--stack", running)
    assert failed.status == 1
    assert REASON in failed.err
    assert "all is as it was before" in failed.err
    assert cloud.ecs("ps", "--json", "--stack", running).json["address"] == before["address"]
    # A deployment that went back by itself is no obstacle to the next change.
    assert cloud.ecs("up", "--spot", "10", "--yes", "--stack", running).status == 0


def test_what_was_changed_by_hand_is_seen(cloud: Cloud, running: str) -> None:
    assert finding(cloud, running, "changed by hand") == ("ok", "")
    cloud.client("logs").put_retention_policy(logGroupName=f"/ecs/{running}/web", retentionInDays=1)
    found, said = finding(cloud, running, "changed by hand")
    assert found == "wrong"
    assert said == "WebLogs modified /RetentionInDays"
    cloud.client("logs").delete_log_group(logGroupName=f"/ecs/{running}/worker")
    assert "WorkerLogs deleted" in finding(cloud, running, "changed by hand")[1]


def test_doctor_sees_what_is_missing(cloud: Cloud, running: str) -> None:
    said = cloud.ecs("doctor", "--tag", "v9", "--json", "--stack", running)
    assert said.status == 1
    [images] = [each for each in said.json if each["about"] == "images"]
    assert images["found"] == "wrong"
    assert "python -m ecs push" in images["said"]


@pytest.mark.parametrize("options", [["--zones", "eu-central-1a"], ["--domain", "pay.example.com"]])
def test_doctor_refuses_what_up_would(cloud: Cloud, stack: str, options: list[str]) -> None:
    refused = cloud.ecs("up", "--tag", "v1", "--yes", "--stack", stack, *options)
    complaint = refused.err.splitlines()[0].removeprefix("ecs: ")
    [found] = [
        each
        for each in cloud.ecs("doctor", "--tag", "v1", "--json", "--stack", stack, *options).json
        if each["about"] == "zones and HTTPS"
    ]
    assert found["found"] == "wrong"
    assert complaint in found["said"]


def test_files_outlive_the_deployment_until_told_to_go(cloud: Cloud, running: str) -> None:
    s3 = cloud.client("s3")
    bucket = f"{running}-files-000000000000-eu-central-1"
    s3.put_object(Bucket=bucket, Key="batches/1/input", Body=b"years\n2.5\n")
    removed = cloud.ecs("down", "--yes", "--stack", running)
    assert removed.status == 0
    assert f"{bucket} (objects: 1," in removed.out
    assert "USD a month" in removed.out
    # A second one takes it up again, file and all.
    up(cloud, running)
    assert s3.get_object(Bucket=bucket, Key="batches/1/input")["Body"].read() == b"years\n2.5\n"
    removed = cloud.ecs("down", "--yes", "--stack", running, "--delete-files")
    assert f"nothing of {running} is left" in removed.out
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_files_of_a_deployment_that_is_gone_can_still_go(cloud: Cloud, running: str) -> None:
    bucket = f"{running}-files-000000000000-eu-central-1"
    cloud.client("s3").put_object(Bucket=bucket, Key="batches/1/input", Body=b"x")
    cloud.ecs("down", "--yes", "--stack", running)
    said = cloud.ecs("down", "--yes", "--stack", running)
    assert said.status == 2
    assert "--delete-files" in said.err
    assert cloud.ecs("down", "--yes", "--delete-files", "--stack", running).status == 0


def test_keys_are_shown_once_and_kept_as_hashes(cloud: Cloud, running: str) -> None:
    made = cloud.ecs("key", "alice", "--json", "--stack", running).json
    held = [
        cloud.client("secretsmanager").get_secret_value(SecretId=each["ARN"]).get("SecretString", "")
        for each in cloud.client("secretsmanager").list_secrets()["SecretList"]
        if each["Name"].startswith(f"{running}-base-ApiKeys")
    ]
    assert made["key"] not in str(held)
    assert [entry.split(":")[0] for entry in held[0].split(",")] == ["first", "alice"]


def lose_password(cloud: Cloud, stack: str) -> None:
    secrets = cloud.client("secretsmanager")
    for each in secrets.list_secrets()["SecretList"]:
        if each["Name"].startswith(f"{stack}-base-RedisPassword"):
            secrets.delete_secret(SecretId=each["ARN"], ForceDeleteWithoutRecovery=True)


def finding(cloud: Cloud, stack: str, about: str) -> tuple[str, str]:
    found = cloud.ecs("doctor", "--json", "--stack", stack).json
    [each] = [each for each in found if each["about"] == about]
    return each["found"], each["said"]
