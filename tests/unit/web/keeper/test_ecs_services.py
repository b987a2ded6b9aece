"""What is said to ECS: counts of exactly the services that are named, more before less."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from web.keeper.ecs_services import EcsWorkerServices
from web.keeper.need import Counts, ServiceCount
from web.keeper.services import FoundServices


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "ecs", region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def described(name: str, desired: int, running: int, *rollouts: str) -> dict[str, Any]:
    deployments = [{"rolloutState": rollout} for rollout in rollouts]
    return {
        "serviceName": name,
        "desiredCount": desired,
        "runningCount": running,
        "deployments": deployments,
    }


def test_the_counts_of_both_services_are_read_in_one_call(client: Any) -> None:
    answer = [
        described("worker-spot", 4, 3, "COMPLETED", "IN_PROGRESS"),
        described("worker", 1, 1, "COMPLETED"),
    ]
    with Stubber(client) as aws:
        aws.add_response(
            "describe_services",
            {"services": answer},
            {"cluster": "pay", "services": ["worker", "worker-spot"]},
        )
        found = EcsWorkerServices("pay/worker", "worker-spot", client).count()
    assert found == FoundServices(ServiceCount(1, 1), ServiceCount(4, 3, deploying=True))


def test_without_spot_only_the_one_service_is_asked(client: Any) -> None:
    with Stubber(client) as aws:
        aws.add_response(
            "describe_services",
            {"services": [described("worker", 0, 0)]},
            {"cluster": "pay", "services": ["worker"]},
        )
        services = EcsWorkerServices("pay/worker", "", client)
        assert services.count() == FoundServices(ServiceCount(0, 0), None)
        aws.add_response("update_service", {}, {"cluster": "pay", "service": "worker", "desiredCount": 2})
        services.ask(Counts(2, 0), before=Counts(0, 0))


def test_only_what_changes_is_asked_for_and_more_before_less(client: Any) -> None:
    services = EcsWorkerServices("pay/worker", "worker-spot", client)
    with Stubber(client) as aws:
        for name, count in (("worker-spot", 3), ("worker", 0)):
            aws.add_response("update_service", {}, {"cluster": "pay", "service": name, "desiredCount": count})
        services.ask(Counts(0, 3), before=Counts(2, 1))
        services.ask(Counts(0, 3), before=Counts(0, 3))
        aws.assert_no_pending_responses()
