"""update: other images, or the same anew. Workers first: they read what web of before has written too."""

import argparse

from botocore.exceptions import ParamValidationError

from ecs import images, up
from ecs.aws import in_a_line
from ecs.deployment import Deployment
from ecs.errors import ChangeFailed, EcsError
from ecs.logs import Reading
from ecs.once import Once
from ecs.options import tag as checked_tag
from ecs.screen import Screen
from ecs.services import Service
from ecs.state import needs

HELP = "switch to other images, or start all tasks anew"
EXAMPLES = """\
  python -m ecs update --tag 3f2a9c1d07be --yes
  python -m ecs update --force
"""
SELF_CHECK = """\
from jobs.connection import connect
from jobs.settings import load_settings
from model.description.catalog import Catalog
from worker.bundles import Bundles
settings = load_settings()
connect(settings).ping()
print(Bundles(Catalog(settings.bundles, settings.default_model)).check_default(), "is right; Redis answers")
"""
"""What the new worker's image must be able to do before it is switched to."""


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--tag", help="tag of the images to switch to")
    what.add_argument(
        "--force", action="store_true", help="start all tasks of worker and web anew, as they are"
    )
    parser.add_argument("--no-check", action="store_true", help="do not try the worker's image first")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    tag = checked_tag(options.tag)
    needs(deployment.app.state(), deployment.names.app)
    if not tag:
        return restart(deployment, screen)
    return switch(deployment, screen, tag, check=not options.no_check)


def switch(deployment: Deployment, screen: Screen, tag: str, check: bool = True) -> int:
    """Raises ChangeFailed if the new images fail; then what ran before runs again."""
    runs = needs(deployment.app.state(), deployment.names.app).parameters["ImageTag"]
    if runs == tag:
        screen.say(f"{tag} runs already; --force starts its tasks anew")
        screen.result({"tag": tag, "before": runs})
        return 0
    images.check(deployment.aws.client("ecr"), deployment.names, tag)
    if check:
        screen.must_be_answered(f"{deployment.names.app} was not changed")
        try_worker(deployment, screen, tag)
    given = {"ImageTag": tag, "PreviousTag": runs}
    up.apply(deployment, deployment.app, None, given, screen)
    screen.say(f"{tag} runs; python -m ecs rollback goes back to {runs}")
    screen.result({"tag": tag, "before": runs})
    return 0


def try_worker(deployment: Deployment, screen: Screen, tag: str) -> None:
    """Runs the worker's image once, in its place, before anything is switched to it."""
    once = Once(deployment.aws.client("ecs"), deployment.names, deployment.wait)
    state = needs(deployment.app.state(), deployment.names.app)
    image = f"{state.parameters['WorkerRepositoryUri']}:{tag}"
    screen.say(f"trying {image}")
    try:
        version = once.version_like("worker", deployment.names.check_family, image)
    except ParamValidationError as error:  # emulations of AWS tell of it in other words than they take
        raise EcsError(
            f"the worker's task definition cannot be copied: {in_a_line(error)}",
            "--no-check switches without trying the image",
        ) from None
    try:
        task = once.start("worker", ["python", "-c", SELF_CHECK], version)
        with once.stopped_on_error(task):
            ended = once.wait_for(task, lambda status: None)
    finally:
        once.forget(version)
    if ended.exit_status == 0:
        return
    stream = f"worker/worker/{ended.task}"
    lines = [event["message"].rstrip() for _, event in Reading(deployment, ["worker"], 0, stream).more()]
    for line in lines[-10:]:
        screen.say(f"  {line}")
    raise ChangeFailed(
        f"the worker's image {tag} fails its self-check: {ended}",
        "nothing was switched to it; mend it, push it, and update again",
    )


def restart(deployment: Deployment, screen: Screen) -> int:
    screen.confirm("Start all tasks of worker and web anew? [y/N]", "nothing was changed")
    for name in ("worker", "web"):
        deployment.services.restart(name)
        deployment.services.settle(name, lambda service: screen.say(line(service)))
    screen.result({"restarted": ["worker", "web"]})
    return 0


def line(service: Service) -> str:
    counts = f"{service.running} of {service.desired} running, {service.pending} pending"
    rollout = service.rollout.lower().replace("_", " ") or "no deployment"
    said = f"  {service.last_event}" if service.last_event and not service.settled else ""
    return f"{service.name}: {counts}, {rollout}{said}"
