"""One task, run to its end beside the services."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import MAKE_IT, EcsError, Interrupted, NotThere
from ecs.names import Names

LOOKS_EVERY_SECONDS = 3.0
STARTED_BY = "paygrade-ecs"


@dataclass(frozen=True)
class Ended:
    task: str
    exit_status: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.exit_status is None else f"exit status {self.exit_status} ({self.reason})"


class Once:
    """Runs where a service runs: its network, its roles, its environment."""

    def __init__(self, ecs: Any, names: Names, wait: Callable[[float], None] = time.sleep) -> None:
        self._ecs = ecs
        self._names = names
        self._wait = wait

    def start(self, service: str, command: Sequence[str], task_definition: str | None = None) -> str:
        """The ARN of a task that runs the command. Raises EcsError if ECS starts none."""
        like = self._service(service)
        started = self._ecs.run_task(
            cluster=self._names.cluster,
            taskDefinition=task_definition or like["taskDefinition"],
            launchType="FARGATE",
            networkConfiguration=like["networkConfiguration"],
            overrides={"containerOverrides": [{"name": service, "command": list(command)}]},
            startedBy=STARTED_BY,
        )
        if not started["tasks"]:
            failures = "; ".join(str(each.get("reason")) for each in started["failures"])
            raise EcsError(
                f"ECS starts no task: {failures}", "python -m ecs doctor looks for the usual causes"
            )
        return str(started["tasks"][0]["taskArn"])

    def wait_for(self, task: str, show: Callable[[str], None]) -> Ended:
        while True:
            # A task that has just been started may not be told of yet.
            for now in self._ecs.describe_tasks(cluster=self._names.cluster, tasks=[task])["tasks"]:
                show(now["lastStatus"])
                if now["lastStatus"] == "STOPPED":
                    return _ended(now)
            self._wait(LOOKS_EVERY_SECONDS)

    @contextmanager
    def stopped_on_error(self, task: str) -> Iterator[None]:
        """Nobody else would stop a task that we no longer watch."""
        try:
            yield
        except BaseException as error:
            self._ecs.stop_task(cluster=self._names.cluster, task=task, reason="no longer watched")
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted("interrupted; the task was stopped") from None
            raise

    def stop_all(self) -> None:
        """Whatever a shell that was closed has left running: a cluster with tasks cannot be removed."""
        cluster = self._names.cluster
        try:
            left = self._ecs.list_tasks(cluster=cluster, startedBy=STARTED_BY)["taskArns"]
        except ClientError as error:
            if code_of(error) == "ClusterNotFoundException":
                return
            raise
        for task in left:
            self._ecs.stop_task(cluster=cluster, task=task, reason="the deployment is removed")

    def version_like(self, service: str, family: str, image: str) -> str:
        """Registers the service's task definition once more, with another image."""
        like = self._service(service)
        definition = self._ecs.describe_task_definition(taskDefinition=like["taskDefinition"])[
            "taskDefinition"
        ]
        kept = (
            "cpu",
            "memory",
            "networkMode",
            "executionRoleArn",
            "taskRoleArn",
            "runtimePlatform",
            "volumes",
        )
        [container] = definition["containerDefinitions"]
        registered = self._ecs.register_task_definition(
            family=family,
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[{**container, "image": image}],
            **{name: definition[name] for name in kept if definition.get(name)},
        )
        return str(registered["taskDefinition"]["taskDefinitionArn"])

    def _service(self, name: str) -> dict[str, Any]:
        found = self._ecs.describe_services(cluster=self._names.cluster, services=[name])["services"]
        if not found:
            raise NotThere(f"there is no service {name} in {self._names.cluster}", MAKE_IT)
        service: dict[str, Any] = found[0]
        return service

    def forget(self, task_definition: str) -> None:
        with suppress(ClientError):
            self._ecs.deregister_task_definition(taskDefinition=task_definition)


def _ended(task: dict[str, Any]) -> Ended:
    containers = task.get("containers", [])
    statuses = [each["exitCode"] for each in containers if "exitCode" in each]
    reasons = [task.get("stoppedReason", ""), *(each.get("reason", "") for each in containers)]
    return Ended(
        task["taskArn"].rpartition("/")[2],
        statuses[0] if statuses else None,
        "; ".join(dict.fromkeys(filter(None, reasons))),
    )
