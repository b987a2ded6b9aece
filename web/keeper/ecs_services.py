"""The services of the workers on Amazon ECS.

Import this module only where a service is named: boto3 takes a quarter of a second.
"""

from functools import cached_property
from typing import Any

from botocore.config import Config

from web.aws import make_client
from web.keeper.need import Counts, ServiceCount
from web.keeper.services import FoundServices, WorkerServices

_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
"""Refused calls are repeated a moment later; beyond that, the next round is five seconds away."""


class EcsWorkerServices(WorkerServices):
    """`service` is CLUSTER/SERVICE; `spot_service` another service of that cluster, or empty."""

    def __init__(self, service: str, spot_service: str, client: Any = None) -> None:
        self._cluster, _, self._on_demand = service.partition("/")
        self._spot = spot_service
        if client:
            self._client = client

    @cached_property
    def _client(self) -> Any:
        return make_client("ecs", _CONFIG)

    def count(self) -> FoundServices:
        names = [self._on_demand, *([self._spot] if self._spot else [])]
        found = self._client.describe_services(cluster=self._cluster, services=names)["services"]
        by_name = {service["serviceName"]: _read(service) for service in found}
        return FoundServices(by_name[self._on_demand], by_name[self._spot] if self._spot else None)

    def ask(self, counts: Counts, before: Counts) -> None:
        """More is asked for before less is."""
        changes = [(self._on_demand, counts.on_demand, before.on_demand)]
        if self._spot:
            changes.append((self._spot, counts.spot, before.spot))
        for name, desired, was in sorted(changes, key=lambda change: change[1] < change[2]):
            if desired != was:
                self._client.update_service(cluster=self._cluster, service=name, desiredCount=desired)


def _read(service: dict[str, Any]) -> ServiceCount:
    deploying = any(each.get("rolloutState") == "IN_PROGRESS" for each in service["deployments"])
    return ServiceCount(service["desiredCount"], service["runningCount"], deploying)
