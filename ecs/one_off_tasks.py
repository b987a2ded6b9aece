"""One-off tasks: each runs one command to its end beside the services."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import NEXT_STEP_CREATE, EcsError, Interrupted, ResourceNotFound
from ecs.names import ResourceNames

POLL_SECONDS = 3.0
STARTED_BY = "paygrade-ecs"
_COPIED_FIELDS = (
    "cpu",
    "memory",
    "networkMode",
    "executionRoleArn",
    "taskRoleArn",
    "runtimePlatform",
    "volumes",
)


@dataclass(frozen=True)
class TaskResult:
    task: str
    exit_status: int | None
    """None if the container never ran."""
    reason: str

    def __str__(self) -> str:
        return self.reason if self.exit_status is None else f"exit status {self.exit_status} ({self.reason})"


class OneOffTasks:
    """Runs tasks with the network, roles and environment of a service."""

    def __init__(self, ecs: Any, names: ResourceNames, wait: Callable[[float], None] = time.sleep) -> None:
        self._ecs = ecs
        self._names = names
        self._wait = wait

    def start(self, service: str, command: Sequence[str], task_definition: str | None = None) -> str:
        """Starts a task and returns its ARN. Raises EcsError if ECS starts none."""
        template = self._service(service)
        answer = self._ecs.run_task(
            cluster=self._names.cluster,
            taskDefinition=task_definition or template["taskDefinition"],
            launchType="FARGATE",
            networkConfiguration=template["networkConfiguration"],
            overrides={"containerOverrides": [{"name": service, "command": list(command)}]},
            startedBy=STARTED_BY,
            propagateTags="TASK_DEFINITION",
        )
        if not answer["tasks"]:
            failures = "; ".join(str(each.get("reason")) for each in answer["failures"])
            raise EcsError(
                f"ECS did not start the task: {failures}", "python -m ecs doctor checks for the usual causes"
            )
        return str(answer["tasks"][0]["taskArn"])

    def wait_until_stopped(self, task: str, on_poll: Callable[[str], None]) -> TaskResult:
        """Calls on_poll with the status after each poll."""
        while True:
            # ECS may not list a task that it has just started.
            for described in self._ecs.describe_tasks(cluster=self._names.cluster, tasks=[task])["tasks"]:
                on_poll(described["lastStatus"])
                if described["lastStatus"] == "STOPPED":
                    return _parse_result(described)
            self._wait(POLL_SECONDS)

    @contextmanager
    def stop_on_error(self, task: str) -> Iterator[None]:
        """Stops the task if the block fails, since nothing else would."""
        try:
            yield
        except BaseException as error:
            self._ecs.stop_task(cluster=self._names.cluster, task=task, reason="no longer watched")
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted("interrupted; the task was stopped") from None
            raise

    def stop_all(self) -> None:
        """Stops tasks left behind by closed terminals: a cluster with tasks cannot be deleted."""
        cluster = self._names.cluster
        try:
            tasks = self._ecs.list_tasks(cluster=cluster, startedBy=STARTED_BY)["taskArns"]
        except ClientError as error:
            if code_of(error) == "ClusterNotFoundException":
                return
            raise
        for task in tasks:
            self._ecs.stop_task(cluster=cluster, task=task, reason="the deployment is being removed")

    def copy_task_definition(self, service: str, family: str, image: str) -> str:
        """Registers the service's task definition under a family with another image, and returns its ARN."""
        template = self._service(service)
        described = self._ecs.describe_task_definition(
            taskDefinition=template["taskDefinition"], include=["TAGS"]
        )
        definition = described["taskDefinition"]
        tags = [each for each in described.get("tags", []) if not each["key"].startswith("aws:")]
        [container] = definition["containerDefinitions"]
        answer = self._ecs.register_task_definition(
            family=family,
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[{**container, "image": image}],
            **{name: definition[name] for name in _COPIED_FIELDS if definition.get(name)},
            **({"tags": tags} if tags else {}),
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def deregister(self, task_definition: str) -> None:
        with suppress(ClientError):
            self._ecs.deregister_task_definition(taskDefinition=task_definition)

    def _service(self, name: str) -> dict[str, Any]:
        services = self._ecs.describe_services(cluster=self._names.cluster, services=[name])["services"]
        if not services:
            raise ResourceNotFound(
                f"there is no service {name} in the cluster {self._names.cluster}", NEXT_STEP_CREATE
            )
        service: dict[str, Any] = services[0]
        return service


def _parse_result(task: dict[str, Any]) -> TaskResult:
    containers = task.get("containers", [])
    statuses = [each["exitCode"] for each in containers if "exitCode" in each]
    reasons = [task.get("stoppedReason", ""), *(each.get("reason", "") for each in containers)]
    return TaskResult(
        task["taskArn"].rpartition("/")[2],
        statuses[0] if statuses else None,
        "; ".join(dict.fromkeys(filter(None, reasons))),
    )
