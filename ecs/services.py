"""The services and tasks of the cluster, as ECS reports them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import NEXT_STEP_CREATE, ChangeFailed, ResourceNotFound, detach_on_interrupt
from ecs.names import ECS_SERVICES, ResourceNames

POLL_SECONDS = 5.0
COUNT_TAG = "paused-from"
"""The tag with the number of tasks that a service had when it was paused."""
_PLANNED_STOPS = ("Scaling activity", "Deployment completed")
"""The beginnings of stop reasons of tasks that ECS replaced or scaled in."""


@dataclass(frozen=True)
class EcsService:
    name: str
    desired: int
    running: int
    pending: int
    rollout: str
    rollout_reason: str
    deployments: int
    task_definition: str
    last_event: str
    arn: str = ""

    @property
    def stable(self) -> bool:
        return self.deployments == 1 and self.running == self.desired and self.rollout != "IN_PROGRESS"

    @property
    def summary(self) -> str:
        """One line; while the service is not stable, with the last event that ECS reports."""
        counts = f"{self.running} of {self.desired} running, {self.pending} pending"
        rollout = self.rollout.lower().replace("_", " ") or "no deployment"
        event = f"  {self.last_event}" if self.last_event and not self.stable else ""
        return f"{self.name}: {counts}, {rollout}{event}"


@dataclass(frozen=True)
class EcsTask:
    id: str
    service: str
    status: str
    health: str
    started: Any
    zone: str
    image: str
    address_of_interface: str
    provider: str
    stopped: str
    """Why the task stopped; empty while it runs."""
    stopped_at: Any

    @property
    def failed(self) -> bool:
        return bool(self.stopped) and not self.stopped.startswith(_PLANNED_STOPS)


class Services:
    def __init__(self, ecs: Any, names: ResourceNames, wait: Callable[[float], None] = time.sleep) -> None:
        self._ecs = ecs
        self._names = names
        self._wait = wait

    def all(self) -> list[EcsService]:
        """In start order. Raises ResourceNotFound if there is no cluster."""
        with self._cluster_required():
            answer = self._ecs.describe_services(cluster=self._names.cluster, services=list(ECS_SERVICES))
        services = [_parse_service(each) for each in answer["services"] if each["status"] != "INACTIVE"]
        return sorted(services, key=lambda service: ECS_SERVICES.index(service.name))

    def get(self, name: str) -> EcsService:
        for service in self.all():
            if service.name == name:
                return service
        raise ResourceNotFound(
            f"there is no service {name} in the cluster {self._names.cluster}",
            "python -m ecs ps lists the services",
        )

    def tasks(self, status: str = "RUNNING") -> list[EcsTask]:
        """Raises ResourceNotFound if there is no cluster."""
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self._names.cluster, desiredStatus=status
        )
        with self._cluster_required():
            arns = [arn for page in pages for arn in page["taskArns"]]
        tasks = [
            _parse_task(each)
            for begin in range(0, len(arns), 100)  # describe_tasks accepts 100 at a time
            for each in self._ecs.describe_tasks(
                cluster=self._names.cluster, tasks=arns[begin : begin + 100]
            )["tasks"]
        ]
        return sorted(tasks, key=lambda task: (task.service, task.id))

    @contextmanager
    def _cluster_required(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if code_of(error) != "ClusterNotFoundException":
                raise
            message = f"there is no cluster {self._names.cluster}"
            raise ResourceNotFound(message, NEXT_STEP_CREATE) from None

    def stop_reason(self, name: str) -> str:
        """Why the service's last failed task stopped; without one, the service's last event."""
        try:
            failed = [task for task in self.tasks("STOPPED") if task.service == name and task.failed]
            last = max(failed, key=lambda task: str(task.stopped_at), default=None)
            return last.stopped if last else self.get(name).last_event
        except (ClientError, ResourceNotFound):
            return ""

    def scale(self, name: str, count: int) -> None:
        self._ecs.update_service(cluster=self._names.cluster, service=name, desiredCount=count)

    def remember_count(self, service: EcsService) -> None:
        """As a tag of the service, until it is resumed."""
        tags = [{"key": COUNT_TAG, "value": str(service.desired)}]
        self._ecs.tag_resource(resourceArn=service.arn, tags=tags)

    def remembered_count(self, service: EcsService) -> int:
        """1 if none is remembered."""
        tags = self._ecs.list_tags_for_resource(resourceArn=service.arn)["tags"]
        return next((int(tag["value"]) for tag in tags if tag["key"] == COUNT_TAG), 1)

    def restart(self, name: str) -> None:
        """Starts new tasks of the same version, which resolve `latest` and read the secrets again."""
        self._ecs.update_service(cluster=self._names.cluster, service=name, forceNewDeployment=True)

    def wait_until_stable(self, name: str, show: Callable[[EcsService], None]) -> None:
        """Shows each change of the service. Raises ChangeFailed if the rollout fails."""
        shown = None
        with detach_on_interrupt(name):
            while True:
                service = self.get(name)
                if service != shown:
                    show(service)
                    shown = service
                if service.rollout == "FAILED":
                    reason = self.stop_reason(name) or service.rollout_reason
                    raise ChangeFailed(
                        f"{name} did not become stable: {reason}", f"python -m ecs logs {name} shows its logs"
                    )
                if service.stable:
                    return
                self._wait(POLL_SECONDS)


def _parse_service(service: dict[str, Any]) -> EcsService:
    [primary] = [each for each in service["deployments"] if each["status"] == "PRIMARY"] or [{}]
    events = service.get("events", [])
    return EcsService(
        name=service["serviceName"],
        desired=service["desiredCount"],
        running=service["runningCount"],
        pending=service["pendingCount"],
        rollout=primary.get("rolloutState", ""),
        rollout_reason=primary.get("rolloutStateReason", ""),
        deployments=len(service["deployments"]),
        task_definition=service["taskDefinition"].rpartition("/")[2],
        last_event=events[0]["message"] if events else "",
        arn=service.get("serviceArn", ""),
    )


def _parse_task(task: dict[str, Any]) -> EcsTask:
    containers = task.get("containers", [])
    interfaces = [
        detail["value"]
        for attachment in task.get("attachments", [])
        for detail in attachment.get("details", [])
        if detail["name"] == "networkInterfaceId"
    ]
    reasons = [task.get("stoppedReason", "")] + [each.get("reason", "") for each in containers]
    statuses = [f"exit status {each['exitCode']}" for each in containers if each.get("exitCode")]
    return EcsTask(
        id=task["taskArn"].rpartition("/")[2],
        service=task.get("group", "").partition(":")[2],
        status=task["lastStatus"],
        health=task.get("healthStatus", ""),
        started=task.get("startedAt"),
        zone=task.get("availabilityZone", ""),
        image=containers[0].get("image", "").rpartition("/")[2] if containers else "",
        address_of_interface=interfaces[0] if interfaces else "",
        provider=task.get("capacityProviderName", task.get("launchType", "")),
        stopped="; ".join(dict.fromkeys(filter(None, reasons + statuses))),
        stopped_at=task.get("stoppedAt"),
    )
