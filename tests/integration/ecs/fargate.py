"""Stands for Fargate: starts and stops real workers as ECS, which ministack plays, has been asked to."""

import signal
import threading
from typing import Any

from tests.integration.service import Service
from tests.integration.stack import Stack

SERVICES = ("worker", "worker-spot")
LOOK_SECONDS = 0.1


def create_services(ecs: Any, cluster: str) -> None:
    """Both, without tasks."""
    ecs.create_cluster(clusterName=cluster)
    container = {"name": "worker", "image": "worker", "memory": 1024}
    ecs.register_task_definition(family="pay-worker", containerDefinitions=[container])
    for service in SERVICES:
        ecs.create_service(
            cluster=cluster,
            serviceName=service,
            taskDefinition="pay-worker",
            desiredCount=0,
            launchType="FARGATE",
        )


class Fargate:
    """`with Fargate(ecs, stack) as fargate`: a worker starts some seconds after it was asked for."""

    def __init__(self, ecs: Any, cluster: str, stack: Stack, start_seconds: float) -> None:
        self.workers: dict[str, list[Service]] = {service: [] for service in SERVICES}
        self.ended: list[int] = []
        """The exit statuses of workers that were stopped."""
        self._ecs = ecs
        self._cluster = cluster
        self._stack = stack
        self._start_seconds = start_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Fargate":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def desired(self) -> int:
        return sum(self._counts().values())

    @property
    def running(self) -> int:
        return sum(map(len, self.workers.values()))

    def _counts(self) -> dict[str, int]:
        found = self._ecs.describe_services(cluster=self._cluster, services=list(SERVICES))["services"]
        return {service["serviceName"]: service["desiredCount"] for service in found}

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for name, desired in self._counts().items():
                workers = self.workers[name]
                if len(workers) < desired and not self._stop.wait(self._start_seconds):
                    workers.append(self._stack.start_worker())
                while len(workers) > desired:
                    worker = workers.pop()
                    worker.send(signal.SIGTERM)
                    self.ended.append(worker.ended())
