"""smoke, against web, worker and Redis on this machine."""

from tests.integration.conftest import StartStack
from tests.integration.ecs.cloud import Cloud
from tests.integration.stack import Stack


def key_and_setting(cloud: Cloud, deployment: str) -> tuple[str, str]:
    """A key of the deployment, and the value of PAYGRADE_API_KEYS."""
    key = cloud.ecs("key", "add", "alice", "--json", "--stack", deployment).json["key"]
    secrets = cloud.client("secretsmanager")
    [arn] = [
        each["ARN"]
        for each in secrets.list_secrets()["SecretList"]
        if each["Name"].startswith(f"{deployment}-base-ApiKeys")
    ]
    return key, secrets.get_secret_value(SecretId=arn)["SecretString"]


def test_a_working_deployment_passes(cloud: Cloud, running: str, start_stack: StartStack) -> None:
    key, setting = key_and_setting(cloud, running)
    stack = start_stack({"PAYGRADE_API_KEYS": setting})
    stack.start_web()
    stack.ready(stack.start_worker())
    before = cloud.client("ecs").list_tasks(cluster=running)["taskArns"]
    result = cloud.ecs(
        "smoke", "--url", stack.address, "--yes", "--json", "--stack", running, PAYGRADE_API_KEY=key
    )
    assert result.status == 0, result.err
    assert len(result.json["proved"]) == 6
    # ECS has replaced a task of the workers, that of Redis and that of web.
    assert len(set(before) - set(cloud.client("ecs").list_tasks(cluster=running)["taskArns"])) == 3


def test_the_first_failed_claim_ends_the_test(cloud: Cloud, running: str, shared: Stack) -> None:
    """This web has no keys and accepts every request."""
    result = cloud.ecs("smoke", "--gentle", "--url", shared.address, "--stack", running, PAYGRADE_API_KEY="x")
    assert result.status == 1
    message, next_step = result.err.splitlines()
    assert "web did not refuse a request without a key" in message
    assert "python -m ecs logs" in next_step


def test_no_task_is_stopped_without_confirmation(cloud: Cloud, running: str) -> None:
    result = cloud.ecs("smoke", "--stack", running, PAYGRADE_API_KEY="x")
    assert result.status == 2
    assert "--yes" in result.err
