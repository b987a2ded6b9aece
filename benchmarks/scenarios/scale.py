"""What grows with the load: processes, waiting jobs, open batches, models. It takes half an hour."""

import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks import batch
from benchmarks.bundle import MODEL, ROOT, describe, load_model
from benchmarks.client import Client
from benchmarks.load import POSTED_ROW, WAITED_ROW
from benchmarks.project import Project, project
from benchmarks.session import Session
from model.publish import publish

SCENARIO = "scale"
CONNECTIONS = 32
PROCESSES = (1, 2, 4)
WAITING = 1_000_000
OPEN_BATCHES, CALLERS = 100_000, 8
MODELS = 1_000
ASKED = 50
"""Single requests, of which the median is given."""
NO_LIMITS = {"PAYGRADE_MAX_WAITING": "2000000", "PAYGRADE_MAX_BATCHES": "200000"}


def measure(session: Session) -> None:
    _processes(session)
    _waiting(session)
    _open_batches(session)
    _models(session)


def _processes(session: Session) -> None:
    """CPU of each part a request, with more processes of web and more workers."""
    for number in PROCESSES:
        with project(PAYGRADE_WEB_PROCESSES=str(number)) as contender, ExitStack() as stack:
            for _ in range(number - 1):
                stack.enter_context(contender.worker())
            contender.settle()
            session.measure(contender, f"{SCENARIO}, {number} of web and workers", WAITED_ROW, CONNECTIONS)


def _waiting(session: Session) -> None:
    """A million jobs wait: what they take, and what single requests take beside them."""
    with project(worker=False, **NO_LIMITS) as contender:
        waiting = 0
        while waiting < WAITING:
            run = session.run(SCENARIO, contender, POSTED_ROW, CONNECTIONS, 20)
            waiting += run.requests
        session.say(f"{SCENARIO}: {waiting:,} jobs wait, the last posted at {run.rate:,.0f}/s")
        _report_store(session, contender)
        with Client(contender.port) as client:
            _ask(session, "a post", lambda: client.ask(POSTED_ROW, [2.5]))
            last = client.ask(POSTED_ROW, [2.5])["id"]
            _ask(session, "a status with its position", lambda: client.get(f"/v1/predictions/{last}"))
            _ask(session, "a page of the list", lambda: client.get("/v1/predictions?limit=100"))
            _ask(session, "the capacity", lambda: client.get("/v1/capacity"))
            started = time.monotonic()
            with contender.worker():
                while int(client.get("/v1/capacity")["waiting"]) > 0:
                    time.sleep(0.5)
                took = time.monotonic() - started
            session.say(f"{SCENARIO}: a worker scored them in {took:.0f} s, {waiting / took:,.0f}/s")


def _open_batches(session: Session) -> None:
    """So many batches of one row are open, and no worker runs."""
    with project(worker=False, PAYGRADE_QUEUES="predictions,batches", **NO_LIMITS) as contender:
        service, row = batch.service_at(contender.port), [{"years": 2.5}]
        started = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(lambda _: batch.post_rows(service, row, MODEL), range(OPEN_BATCHES)))
        took = time.monotonic() - started
        session.say(
            f"{SCENARIO}: {OPEN_BATCHES:,} batches posted by {CALLERS} callers, {OPEN_BATCHES / took:,.0f}/s"
        )
        _report_store(session, contender)
        posted = batch.post_rows(service, row, MODEL)
        _ask(session, "a batch posted", lambda: batch.post_rows(service, row, MODEL))
        _ask(session, "its status", lambda: batch.ask(service, "GET", posted["urls"]["self"]))
        _ask(session, "a page of the list", lambda: batch.ask(service, "GET", "/v1/batches?limit=100"))
        started = time.monotonic()
        with contender.worker():
            last = batch.wait(service, posted)
        took = time.monotonic() - started
        session.require(last["status"] == "succeeded", f"{SCENARIO}: the last batch {last['status']}")
        session.say(f"{SCENARIO}: a worker finished them in {took:.0f} s, {OPEN_BATCHES / took:,.0f}/s")


def _models(session: Session) -> None:
    """A catalog of so many models, of which each is asked once, and one again and again."""
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        bundles = _copies(Path(directory) / "bundles")
        with project(PAYGRADE_BUNDLES=str(bundles)) as contender:
            service = batch.service_at(contender.port)

            def score(number: int) -> None:
                body = {"model": f"model-{number}", "inputs": {"years": 2.5}}
                answer = batch.ask(
                    service, "POST", "/v1/predictions", json=body, headers={"Prefer": "wait=25"}
                )
                session.require(answer["status"] == "succeeded", f"{SCENARIO}: {answer}")

            numbers = iter(range(MODELS))
            _ask(session, "a prediction of a model that is not loaded", lambda: score(next(numbers)))
            for number in numbers:
                score(number)
            _ask(session, "a prediction of the model asked last", lambda: score(MODELS - 1))
            _ask(session, "the list of models", lambda: batch.ask(service, "GET", "/v1/models"))
            session.weigh(contender, f"{SCENARIO}, {MODELS:,} models")
            for part in ("web", "worker"):
                mib = " + ".join(f"{each:.0f}" for each in contender.memory(part))
                session.say(f"{SCENARIO}: {part} has {mib} MiB after {MODELS:,} models")


def _copies(root: Path) -> Path:
    """A directory with the shipped bundles, and the model of salaries under so many names."""
    shutil.copytree(ROOT / "model" / "bundles", root)
    booster, shipped = load_model(), describe(MODEL)
    kept = ("version", "target", "unit", "features", "trees", "metrics", "training")
    described = {name: shipped[name] for name in kept}
    for number in range(MODELS):
        publish(root, booster, described | {"name": f"model-{number}", "version": 1}, [{"years": 2.5}])
    return root


def _ask(session: Session, what: str, ask: Callable[[], object]) -> None:
    seconds = []
    for _ in range(ASKED):
        started = time.monotonic()
        ask()
        seconds.append(time.monotonic() - started)
    session.say(
        f"{SCENARIO}: {what} takes {1e3 * median(seconds):.1f} ms, at most {1e3 * max(seconds):.0f} ms"
    )


def _report_store(session: Session, contender: Project) -> None:
    with contender.redis() as redis:
        used = redis.info("memory")["used_memory"] / 2**20
    session.say(f"{SCENARIO}: the store uses {used:,.0f} MiB")
