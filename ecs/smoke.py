"""smoke: tests a deployment on the real account.

Calls web as a caller does, then stops a task of each service and checks that no accepted job is lost.
"""

import argparse
import os
from collections.abc import Callable

from ecs import cold_start
from ecs.deployment import Deployment
from ecs.errors import EcsError, InvalidUsage
from ecs.screen import Screen
from ecs.web_client import WebClient, WebResponse

HELP = "test the deployment on the real account"
EXAMPLES = """\
  PAYGRADE_API_KEY=… python -m ecs smoke
  PAYGRADE_API_KEY=… python -m ecs smoke --gentle
  PAYGRADE_API_KEY=… python -m ecs smoke --cold
"""
JOBS = 50
RECOVERY_SECONDS = 300
"""Time for ECS to place a task, pull its image and start it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gentle", action="store_true", help="stop no tasks")
    parser.add_argument(
        "--cold",
        action="store_true",
        help="time a start of a worker from zero, leg by leg; stops no tasks",
    )
    parser.add_argument("--url", help="address of web (default: the deployment's)")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    key = os.environ.get("PAYGRADE_API_KEY")
    if not key:
        raise InvalidUsage(
            "PAYGRADE_API_KEY is not set",
            "set it to the key that up printed; python -m ecs key add NAME makes one",
        )
    if not key.isprintable() or " " in key:
        raise InvalidUsage(
            "PAYGRADE_API_KEY has a space or a line break, which no key has",
            "set it again to the key that up printed, without what stands around it",
        )
    if options.url and not options.url.startswith(("http://", "https://")):
        raise InvalidUsage(
            f"--url {options.url} is not an HTTP address", "for example --url http://127.0.0.1:8000"
        )
    web = WebClient(options.url or deployment.address(), key, deployment.wait)
    if options.cold:
        return _time_cold_start(deployment, screen, web)
    if not options.gentle:
        screen.confirm(
            "Stop a task of each service to test the recovery? [y/N]",
            "nothing was done; --gentle stops no tasks",
        )
    test = SmokeTest(deployment, web)
    steps = test.gentle_steps if options.gentle else [*test.gentle_steps, *test.recovery_steps]
    proved = []
    for step in steps:
        claim = (step.__doc__ or "").strip()
        screen.print(f"... {claim}")
        step()
        proved.append(claim)
        screen.print("    ok")
    screen.result({"proved": proved})
    return 0


def _time_cold_start(deployment: Deployment, screen: Screen, web: WebClient) -> int:
    screen.print("... one row, posted to sleeping workers")
    legs = cold_start.measure(deployment, web, screen)
    rows = [(leg.name, f"{leg.seconds:.1f}", "ours" if leg.ours else "") for leg in legs]
    ours = sum(leg.seconds for leg in legs if leg.ours)
    whole = sum(leg.seconds for leg in legs)
    screen.table(("leg", "seconds", ""), [*rows, ("sum", f"{whole:.1f}", f"{ours:.1f} ours")])
    screen.result({"legs": {leg.name: leg.seconds for leg in legs}, "ours": ours, "seconds": whole})
    return 0


class SmokeTest:
    """Each step tests the claim in its docstring. The first claim that does not hold raises EcsError."""

    def __init__(self, deployment: Deployment, web: WebClient) -> None:
        self._deployment = deployment
        self._web = web
        self._job = ""
        self.gentle_steps: list[Callable[[], None]] = [self.ready, self.key_required, self.known_salary]
        self.recovery_steps: list[Callable[[], None]] = [
            self.worker_recovers,
            self.redis_recovers,
            self.web_recovers,
        ]

    def ready(self) -> None:
        """web responds, and reaches Redis"""
        response = self._web.poll("/readyz", lambda response: response.status == 200, RECOVERY_SECONDS)
        _check(response.status == 200, "web or Redis does not respond", response)

    def key_required(self) -> None:
        """web refuses a request without a key"""
        response = self._web.post("/v1/predictions", {"inputs": {"years": 2.5}}, with_key=False)
        _check(response.status == 401, "web did not refuse a request without a key", response)

    def known_salary(self) -> None:
        """the salary for 2.5 years is 260.00012"""
        response = self._web.post("/recms", {"years": "2.5"})
        _check(
            response.body == {"salary": "260.00012"}, "the salary for 2.5 years is not 260.00012", response
        )

    def worker_recovers(self) -> None:
        """no job is lost when a worker stops"""
        ids = [self._post_job() for _ in range(JOBS)]
        self._stop_task("worker")
        ids += [self._post_job() for _ in range(JOBS)]
        for job in ids:
            self._check_scored(job)
        self._job = ids[0]

    def redis_recovers(self) -> None:
        """Redis restarts under the same name with all its data"""
        self._stop_task("redis", optional=True)
        self.ready()
        self._check_scored(self._job)

    def web_recovers(self) -> None:
        """a stopped web task is replaced behind the same address"""
        self._stop_task("web")
        self.ready()
        self.known_salary()

    def _post_job(self) -> str:
        response = self._web.post("/v1/predictions", {"inputs": {"years": 4.5}}, Prefer="respond-async")
        _check(response.status == 202, "web did not accept a prediction", response)
        return str(response.body["id"])

    def _check_scored(self, job: str) -> None:
        response = self._web.poll(
            f"/v1/predictions/{job}",
            lambda response: response.status == 200 and response.body["status"] == "succeeded",
            RECOVERY_SECONDS,
        )
        correct = response.status == 200 and response.body["output"] == {"prediction": 374.99866}
        _check(correct, f"the job {job} has no score or a wrong score", response)

    def _stop_task(self, service: str, optional: bool = False) -> None:
        tasks = [
            task for task in self._deployment.services.tasks() if task.service in (service, f"{service}-spot")
        ]
        if not tasks and optional:  # Redis in ElastiCache has no task
            return
        _check(bool(tasks), f"there is no {service} task to stop", None)
        self._deployment.aws.client("ecs").stop_task(
            cluster=self._deployment.names.cluster, task=tasks[0].id, reason="smoke"
        )


def _check(holds: bool, problem: str, response: WebResponse | None) -> None:
    if not holds:
        details = f": {response.status} {str(response.body)[:300]}" if response else ""
        raise EcsError(f"{problem}{details}", "python -m ecs ps and python -m ecs logs show the cause")
