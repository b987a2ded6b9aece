"""smoke: proves on a real account what cannot be proved without one.

Calls web as a caller does, then stops a task of each service and sees that nothing accepted is lost.
"""

import argparse
import os
from collections.abc import Callable

from ecs.caller import Answer, Caller
from ecs.deployment import Deployment
from ecs.errors import BadInput, EcsError
from ecs.screen import Screen

HELP = "prove that all of it works, on the real account"
EXAMPLES = """\
  PAYGRADE_KEY=… python -m ecs smoke
  PAYGRADE_KEY=… python -m ecs smoke --gentle
"""
JOBS = 50
RECOVERS_WITHIN_SECONDS = 300
"""A task is placed, pulls its image and starts."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gentle", action="store_true", help="stop no task")
    parser.add_argument("--url", help="of web (that of the deployment)")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    key = os.environ.get("PAYGRADE_KEY")
    if not key:
        raise BadInput(
            "PAYGRADE_KEY is not set", "it is the key that up has shown; python -m ecs key makes one"
        )
    if options.url and not options.url.startswith(("http://", "https://")):
        raise BadInput(f"--url {options.url}: is no address of web", "as in --url http://127.0.0.1:8000")
    if not options.gentle:
        screen.confirm(
            "Stop a task of each service, to see what is lost? [y/N]",
            "nothing was done; --gentle stops nothing",
        )
    proof = Proof(deployment, Caller(options.url or deployment.address(), key, deployment.wait))
    steps = proof.steps if not options.gentle else [step for step in proof.steps if step not in proof.rough]
    done = []
    for step in steps:
        claim = (step.__doc__ or "").strip()
        screen.say(f"... {claim}")
        step()
        done.append(claim)
        screen.say("    yes")
    screen.result({"proved": done})
    return 0


class Proof:
    """Each step is a claim; the first that does not hold raises EcsError."""

    def __init__(self, deployment: Deployment, caller: Caller) -> None:
        self._deployment = deployment
        self._caller = caller
        self._kept = ""
        self.rough: list[Callable[[], None]] = [self.lost_worker, self.lost_redis, self.lost_web]
        self.steps = [self.answers, self.keys, self.article, *self.rough]

    def answers(self) -> None:
        """web answers, and Redis behind it"""
        answer = self._caller.until("/readyz", lambda answer: answer.status == 200, RECOVERS_WITHIN_SECONDS)
        _must(answer.status == 200, "web or Redis does not answer", answer)

    def keys(self) -> None:
        """nobody gets in without a key"""
        answer = self._caller.post("/v1/predictions", {"inputs": {"years": 2.5}}, with_key=False)
        _must(answer.status == 401, "a call without a key was not refused", answer)

    def article(self) -> None:
        """2.5 years are worth 260.00012"""
        answer = self._caller.post("/recms", {"years": "2.5"})
        _must(answer.body == {"salary": "260.00012"}, "not the article's salary", answer)

    def lost_worker(self) -> None:
        """a worker that is stopped loses no job"""
        ids = [self._accepted() for _ in range(JOBS)]
        self._stop("worker")
        ids += [self._accepted() for _ in range(JOBS)]
        for each in ids:
            self._scored(each)
        self._kept = ids[0]

    def lost_redis(self) -> None:
        """a Redis that is stopped comes back, by its name, with all it knew"""
        self._stop("redis", absent_is_fine=True)
        self.answers()
        self._scored(self._kept)

    def lost_web(self) -> None:
        """a web task that is stopped is replaced, behind the same address"""
        self._stop("web")
        self.answers()
        self.article()

    def _accepted(self) -> str:
        answer = self._caller.post("/v1/predictions", {"inputs": {"years": 4.5}}, Prefer="respond-async")
        _must(answer.status == 202, "a prediction was not accepted", answer)
        return str(answer.body["id"])

    def _scored(self, job: str) -> None:
        answer = self._caller.until(
            f"/v1/predictions/{job}",
            lambda answer: answer.status == 200 and answer.body["status"] == "succeeded",
            RECOVERS_WITHIN_SECONDS,
        )
        right = answer.status == 200 and answer.body["output"] == {"prediction": 374.99866}
        _must(right, f"{job} has no score, or a wrong one", answer)

    def _stop(self, service: str, absent_is_fine: bool = False) -> None:
        tasks = [task for task in self._deployment.services.tasks() if task.service == service]
        if not tasks and absent_is_fine:  # ElastiCache
            return
        _must(bool(tasks), f"there is no task of {service} to stop", None)
        self._deployment.aws.client("ecs").stop_task(
            cluster=self._deployment.names.cluster, task=tasks[0].id, reason="smoke"
        )


def _must(holds: bool, complaint: str, answer: Answer | None) -> None:
    if not holds:
        said = f": {answer.status} {str(answer.body)[:300]}" if answer else ""
        raise EcsError(f"{complaint}{said}", "python -m ecs ps and python -m ecs logs show why")
