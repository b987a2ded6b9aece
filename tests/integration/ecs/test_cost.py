"""cost, before there is a deployment, and by what CloudWatch has measured of one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import requests

from ecs.costs import LOG_BYTES, LOG_EVENT_BYTES
from tests.integration.ecs.cloud import Cloud
from tests.integration.service import wait_until
from tests.integration.stack import Stack

NO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


def record(cloud: Cloud, metric: str, dimensions: Mapping[str, str], values: list[float]) -> None:
    """`metric` is NAMESPACE METRIC. One value for each of the last hours."""
    namespace, name = metric.split()
    named = [{"Name": each, "Value": value} for each, value in dimensions.items()]
    data = [
        {
            "MetricName": name,
            "Dimensions": named,
            "Timestamp": datetime.now(UTC) - timedelta(hours=ago),
            "Value": value,
        }
        for ago, value in enumerate(values, 1)
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def test_costs_are_known_without_an_account(cloud: Cloud) -> None:
    said = cloud.ecs("cost", "--front", "api", "--warm", "never", "--json", **NO_CREDENTIALS)
    assert said.status == 0, said.err
    assert "these are the costs of a new deployment" in said.err
    assert sum(said.json["month"].values()) < 33
    assert said.json["paused"] < 5
    assert said.json["million"]["HTTP API: requests"] == 1
    assert "--redis elasticache is cheaper" in said.err


def test_a_day_that_was_not_measured_needs_a_deployment(cloud: Cloud) -> None:
    for environment in ({}, NO_CREDENTIALS):
        refused = cloud.ecs("cost", "--measured", "--stack", "nowhere", **environment)
        assert refused.status == 2
        assert "  next: " in refused.err


@pytest.fixture
def measured(cloud: Cloud, running: str) -> str:
    """A deployment of which CloudWatch has measured some."""
    found = cloud.client("cloudformation").list_stack_resources(StackName=f"{running}-app")
    ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found["StackResourceSummaries"]}
    for service, samples in (("web", 3), ("worker-spot", 2)):
        dimensions = {"ClusterName": running, "ServiceName": service}
        record(cloud, "AWS/ECS CPUUtilization", dimensions, [12.0] * samples)
    record(cloud, "AWS/EFS DataWriteIOBytes", {"FileSystemId": ids["FileSystem"]}, [5e9, 5e9])
    record(cloud, "AWS/Logs IncomingBytes", {"LogGroupName": f"/ecs/{running}/web"}, [1e9])
    balancer = ids["LoadBalancer"].partition(":loadbalancer/")[2]
    record(cloud, "AWS/ApplicationELB ConsumedLCUs", {"LoadBalancer": balancer}, [10.0])
    record(cloud, "Paygrade RowsPerSecond", {"Deployment": running}, [100.0, 150.0])
    return running


def test_a_day_is_billed_by_what_cloudwatch_has_measured(cloud: Cloud, measured: str) -> None:
    """A task reports its CPU each minute, and web its rate, so that each value stands for a minute."""
    said = cloud.ecs("cost", "--measured", "--json", "--stack", measured)
    assert said.status == 0, said.err
    day, month = said.json["day"], said.json["month"]
    assert day["parts"]["web: tasks"] == pytest.approx(3 / 60 * month["web: tasks"] / 730, abs=1e-4)
    worker = month["worker: tasks"] / 730
    assert day["parts"]["worker-spot: tasks"] == pytest.approx(2 / 60 * worker * 0.32, abs=1e-4)
    assert day["parts"]["EFS: writes of Redis"] == pytest.approx(10 * 0.06)
    assert day["parts"]["logs"] == pytest.approx(0.5)
    assert day["parts"]["load balancer: capacity units"] == pytest.approx(0.08)
    assert day["parts"]["load balancer"] == pytest.approx(24 * 0.0225)
    assert "redis: tasks" not in day["parts"]  # none was measured
    assert day["rows"] == 60 * 250
    million = sum(day["parts"].values()) / 15_000 * 1e6
    assert day["usd_for_a_million"] == pytest.approx(million, rel=1e-3)


def test_the_lines_of_log_have_the_size_that_is_billed(shared: Stack) -> None:
    logs = [log for log in shared.logs() if "store" not in log.name]
    before = {log: log.read_text() for log in logs}
    ids = [scored(shared) for _ in range(20)]
    wait_until("all is logged", lambda: all(ids[-1] in log.read_text() for log in logs))
    lines = [line for log in logs for line in log.read_text().removeprefix(before[log]).splitlines()]
    billed = sum(len(line) + LOG_EVENT_BYTES for line in lines) / len(ids)
    assert billed == pytest.approx(LOG_BYTES, rel=0.2)


def scored(stack: Stack) -> str:
    """The id of a prediction that was posted alone and waited for."""
    headers = {"Prefer": "wait=20", "X-API-Key": "a" * 40}
    body = {"inputs": {"years": 4.5}}
    posted = requests.post(f"{stack.address}/v1/predictions", json=body, headers=headers, timeout=40)
    assert posted.json()["status"] == "succeeded"
    return str(posted.json()["id"])
