"""The services and tasks of the cluster, as ECS tells of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import MAKE_IT, ChangeFailed, NotThere, watching
from ecs.names import SERVICES, Names

LOOKS_EVERY_SECONDS = 5.0
_MADE_ROOM = ("Scaling activity", "Deployment completed")


@dataclass(frozen=True)
class Service:
    name: str
    desired: int
    running: int
    pending: int
    rollout: str
    rollout_reason: str
    deployments: int
    task_definition: str
    last_event: str

    @property
    def settled(self) -> bool:
        return self.deployments == 1 and self.running == self.desired and self.rollout != "IN_PROGRESS"


@dataclass(frozen=True)
class Task:
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
    stopped_at: Any

    @property
    def failed(self) -> bool:
        """It did not stop because another was to take its place."""
        return bool(self.stopped) and not self.stopped.startswith(_MADE_ROOM)


class Services:
    def __init__(self, ecs: Any, names: Names, wait: Callable[[float], None] = time.sleep) -> None:
        self._ecs = ecs
        self._names = names
        self._wait = wait

    def all(self) -> list[Service]:
        """In the order in which they start. Raises NotThere if there is no cluster."""
        with self._in_the_cluster():
            answer = self._ecs.describe_services(cluster=self._names.cluster, services=list(SERVICES))
        found = [_service(each) for each in answer["services"] if each["status"] != "INACTIVE"]
        return sorted(found, key=lambda service: SERVICES.index(service.name))

    def one(self, name: str) -> Service:
        for service in self.all():
            if service.name == name:
                return service
        raise NotThere(
            f"there is no service {name} in {self._names.cluster}", "python -m ecs ps shows what there is"
        )

    def tasks(self, status: str = "RUNNING") -> list[Task]:
        """Raises NotThere if there is no cluster."""
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self._names.cluster, desiredStatus=status
        )
        with self._in_the_cluster():
            arns = [arn for page in pages for arn in page["taskArns"]]
        tasks = [
            _task(each)
            for begin in range(0, len(arns), 100)  # as many as one call describes
            for each in self._ecs.describe_tasks(
                cluster=self._names.cluster, tasks=arns[begin : begin + 100]
            )["tasks"]
        ]
        return sorted(tasks, key=lambda task: (task.service, task.id))

    @contextmanager
    def _in_the_cluster(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if code_of(error) != "ClusterNotFoundException":
                raise
            complaint = f"there is no cluster {self._names.cluster}"
            raise NotThere(complaint, MAKE_IT) from None

    def why_stopped(self, name: str) -> str:
        """Why the service's last task stopped, or else the last that ECS says of the service."""
        try:
            stopped = [task for task in self.tasks("STOPPED") if task.service == name and task.failed]
            last = max(stopped, key=lambda task: str(task.stopped_at), default=None)
            return last.stopped if last else self.one(name).last_event
        except (ClientError, NotThere):
            return ""

    def scale(self, name: str, count: int) -> None:
        self._ecs.update_service(cluster=self._names.cluster, service=name, desiredCount=count)

    def restart(self, name: str) -> None:
        """New tasks of the same version: `latest` is looked up anew, secrets are read anew."""
        self._ecs.update_service(cluster=self._names.cluster, service=name, forceNewDeployment=True)

    def settle(self, name: str, show: Callable[[Service], None]) -> None:
        """Until what was asked for runs; shows each change. Raises ChangeFailed if ECS gave up."""
        shown = None
        with watching(name):
            while True:
                service = self.one(name)
                if service != shown:
                    show(service)
                    shown = service
                if service.rollout == "FAILED":
                    said = self.why_stopped(name) or service.rollout_reason
                    raise ChangeFailed(f"{name} did not become stable: {said}", f"python -m ecs logs {name}")
                if service.settled:
                    return
                self._wait(LOOKS_EVERY_SECONDS)


def _service(each: dict[str, Any]) -> Service:
    [primary] = [one for one in each["deployments"] if one["status"] == "PRIMARY"] or [{}]
    events = each.get("events", [])
    return Service(
        name=each["serviceName"],
        desired=each["desiredCount"],
        running=each["runningCount"],
        pending=each["pendingCount"],
        rollout=primary.get("rolloutState", ""),
        rollout_reason=primary.get("rolloutStateReason", ""),
        deployments=len(each["deployments"]),
        task_definition=each["taskDefinition"].rpartition("/")[2],
        last_event=events[0]["message"] if events else "",
    )


def _task(each: dict[str, Any]) -> Task:
    containers = each.get("containers", [])
    interfaces = [
        detail["value"]
        for attachment in each.get("attachments", [])
        for detail in attachment.get("details", [])
        if detail["name"] == "networkInterfaceId"
    ]
    reasons = [each.get("stoppedReason", "")] + [one.get("reason", "") for one in containers]
    codes = [f"exit status {one['exitCode']}" for one in containers if one.get("exitCode")]
    return Task(
        id=each["taskArn"].rpartition("/")[2],
        service=each.get("group", "").partition(":")[2],
        status=each["lastStatus"],
        health=each.get("healthStatus", ""),
        started=each.get("startedAt"),
        zone=each.get("availabilityZone", ""),
        image=containers[0].get("image", "").rpartition("/")[2] if containers else "",
        address_of_interface=interfaces[0] if interfaces else "",
        provider=each.get("capacityProviderName", each.get("launchType", "")),
        stopped="; ".join(dict.fromkeys(filter(None, reasons + codes))),
        stopped_at=each.get("stoppedAt"),
    )
