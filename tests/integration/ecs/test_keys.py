"""Keys are added, listed and revoked while web runs, and Redis gets another password."""

from typing import Any

import pytest

from tests.integration.ecs.cloud import Cloud, CommandResult
from web.keys import ApiKeys, digest
from web.webhooks.secrets import parse_secrets


def ecs(cloud: Cloud, stack: str, *arguments: str) -> CommandResult:
    result = cloud.ecs(*arguments, "--stack", stack)
    assert result.status == 0, result.err
    return result


def secret_of(cloud: Cloud, stack: str, logical_id: str) -> str:
    found = cloud.client("cloudformation").describe_stack_resource(
        StackName=stack, LogicalResourceId=logical_id
    )
    physical_id = found["StackResourceDetail"]["PhysicalResourceId"]  # a name to ministack, an ARN to AWS
    return str(cloud.client("secretsmanager").describe_secret(SecretId=physical_id)["ARN"])


def value_of(cloud: Cloud, secret: str) -> str:
    return str(cloud.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])


@pytest.fixture
def web_keys(cloud: Cloud, running: str, monkeypatch: pytest.MonkeyPatch) -> ApiKeys:
    """The keys as a web task of the deployment reads them."""
    for name, value in cloud.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return ApiKeys("", secret_of(cloud, f"{running}-base", "ApiKeys"))


def test_web_accepts_a_new_key_and_refuses_a_revoked_one_without_a_restart(
    cloud: Cloud, running: str, web_keys: ApiKeys
) -> None:
    key = ecs(cloud, running, "key", "add", "alice", "--json").json["key"]
    assert digest(key) not in web_keys.owners
    web_keys.read_again()
    assert web_keys.owners[digest(key)].name == "alice"
    listed = ecs(cloud, running, "key", "list", "--json").json
    assert [(each["name"], each["scope"]) for each in listed] == [
        ("first", "predict+operate"),
        ("alice", "predict"),
    ]
    assert key not in ecs(cloud, running, "key", "list").out
    ecs(cloud, running, "key", "revoke", "alice", "--yes")
    web_keys.read_again()
    assert [owner.name for owner in web_keys.owners.values()] == ["first"]


def test_one_key_of_a_name_is_revoked_by_its_digest(cloud: Cloud, running: str, web_keys: ApiKeys) -> None:
    old, new = (ecs(cloud, running, "key", "add", "bob", "--json").json["key"] for _ in range(2))
    ecs(cloud, running, "key", "revoke", "bob", "--digest", digest(old)[:12], "--yes")
    web_keys.read_again()
    assert digest(new) in web_keys.owners
    assert digest(old) not in web_keys.owners


def test_the_last_key_of_all_stays(cloud: Cloud, running: str) -> None:
    refused = cloud.ecs("key", "revoke", "first", "--yes", "--stack", running)
    assert refused.status == 2
    assert "python -m ecs scale web 0" in refused.err
    unknown = cloud.ecs("key", "revoke", "nobody", "--yes", "--stack", running)
    assert "python -m ecs key list" in unknown.err


def test_secrets_of_webhooks_are_added_and_revoked_with_the_name(cloud: Cloud, running: str) -> None:
    place = secret_of(cloud, f"{running}-base", "WebhookSecrets")
    ecs(cloud, running, "key", "add", "carol")
    ecs(cloud, running, "key", "webhook", "carol")
    assert list(parse_secrets(value_of(cloud, place))) == ["carol"]
    assert "webhook" in ecs(cloud, running, "key", "list").out
    ecs(cloud, running, "key", "revoke", "carol", "--yes")
    assert "whsec_" not in value_of(cloud, place)


def test_redis_gets_another_password_everywhere(cloud: Cloud, running: str) -> None:
    password = secret_of(cloud, f"{running}-base", "RedisPassword")
    address = secret_of(cloud, f"{running}-app", "RedisUrl")
    before = value_of(cloud, password)
    printed = ecs(cloud, running, "rotate", "--yes").out
    after = value_of(cloud, password)
    assert after != before
    assert len(after) == 48
    assert value_of(cloud, address) == f"redis://:{after}@redis.{running}.internal:6379/0"
    assert [line.partition(":")[0] for line in printed.splitlines() if " running, " in line][-1] == "web"
    assert after not in printed


def test_tags_reach_the_stacks_and_stay_until_they_are_given_again(cloud: Cloud, running: str) -> None:
    def tags() -> list[Any]:
        stacks = cloud.client("cloudformation").describe_stacks(StackName=f"{running}-app")["Stacks"]
        found: list[Any] = stacks[0]["Tags"]
        return found

    ecs(cloud, running, "up", "--tags", "team=data,cost-center=42", "--yes")
    assert tags() == [{"Key": "cost-center", "Value": "42"}, {"Key": "team", "Value": "data"}]
    ecs(cloud, running, "up", "--most", "9", "--yes")
    assert len(tags()) == 2
    ecs(cloud, running, "up", "--tags", "", "--yes")
    assert tags() == []
