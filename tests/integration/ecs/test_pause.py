"""pause stops all tasks and resume starts them again, with the counts that they had."""

from typing import Any

from tests.integration.ecs.cloud import Cloud
from tests.integration.ecs.conftest import up


def counts(cloud: Cloud, stack: str) -> dict[str, int]:
    names = ["redis", "worker", "worker-spot", "web"]
    found = cloud.client("ecs").describe_services(cluster=stack, services=names)["services"]
    return {service["serviceName"]: service["desiredCount"] for service in found}


def acting_alarms(cloud: Cloud, stack: str) -> set[bool]:
    alarms: list[dict[str, Any]] = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["ActionsEnabled"] for alarm in alarms if alarm["AlarmName"].startswith(f"{stack}-")}


def test_a_deployment_is_paused_and_resumed(cloud: Cloud, running: str) -> None:
    assert cloud.ecs("scale", "web", "2", "--stack", running).status == 0
    paused = cloud.ecs("pause", "--yes", "--json", "--stack", running)
    assert paused.status == 0, paused.err
    assert set(counts(cloud, running).values()) == {0}
    assert acting_alarms(cloud, running) == {False}
    assert 20 < paused.json["usd_a_month"] < 30
    assert "already" in cloud.ecs("pause", "--yes", "--stack", running).out
    resumed = cloud.ecs("resume", "--stack", running)
    assert resumed.status == 0, resumed.err
    assert counts(cloud, running) == {"redis": 1, "web": 2, "worker": 0, "worker-spot": 0}
    assert acting_alarms(cloud, running) == {True}


def test_nobody_is_paused_without_being_asked(cloud: Cloud, running: str) -> None:
    before = counts(cloud, running)
    refused = cloud.ecs("pause", "--stack", running)
    assert refused.status == 2
    assert counts(cloud, running) == before


def test_elasticache_cannot_be_paused(cloud: Cloud, stack: str) -> None:
    up(cloud, stack, "--redis", "elasticache")
    refused = cloud.ecs("pause", "--yes", "--stack", stack)
    assert refused.status == 2
    assert "--warm never" in refused.err
