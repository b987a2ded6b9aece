"""smoke, with web, worker and store of this machine behind the address."""

from tests.integration.conftest import StartStack
from tests.integration.ecs.cloud import Cloud
from tests.integration.stack import Stack


def key_and_setting(cloud: Cloud, deployment: str) -> tuple[str, str]:
    """A key as the deployment's caller has it, and what its tasks are told of it."""
    key = cloud.ecs("key", "alice", "--json", "--stack", deployment).json["key"]
    secrets = cloud.client("secretsmanager")
    [arn] = [
        each["ARN"]
        for each in secrets.list_secrets()["SecretList"]
        if each["Name"].startswith(f"{deployment}-base-ApiKeys")
    ]
    return key, secrets.get_secret_value(SecretId=arn)["SecretString"]


def test_it_proves_what_holds(cloud: Cloud, running: str, start_stack: StartStack) -> None:
    key, setting = key_and_setting(cloud, running)
    stack = start_stack({"PAYGRADE_API_KEYS": setting})
    stack.start_web()
    stack.ready(stack.start_worker())
    before = cloud.client("ecs").list_tasks(cluster=running)["taskArns"]
    said = cloud.ecs("smoke", "--url", stack.address, "--yes", "--json", "--stack", running, PAYGRADE_KEY=key)
    assert said.status == 0, said.err
    assert len(said.json["proved"]) == 6
    # One task of each service was stopped, and ECS has put another in its place.
    assert len(set(before) & set(cloud.client("ecs").list_tasks(cluster=running)["taskArns"])) == 0


def test_it_ends_at_the_first_claim_that_does_not_hold(cloud: Cloud, running: str, shared: Stack) -> None:
    """This web has no keys, and lets anybody in."""
    said = cloud.ecs("smoke", "--gentle", "--url", shared.address, "--stack", running, PAYGRADE_KEY="x")
    assert said.status == 1
    complaint, next_step = said.err.splitlines()
    assert "a call without a key was not refused" in complaint
    assert "python -m ecs logs" in next_step


def test_without_a_terminal_it_stops_nothing_unasked(cloud: Cloud, running: str) -> None:
    said = cloud.ecs("smoke", "--stack", running, PAYGRADE_KEY="x")
    assert said.status == 2
    assert "--yes" in said.err
