"""update: switches to other images, or restarts all tasks.

Workers are updated before web: new workers can read what the old web writes, but not the other way round.
"""

import argparse

from botocore.exceptions import ParamValidationError

from ecs import events, images, up
from ecs.aws import explain_error
from ecs.deployment import Deployment
from ecs.errors import ChangeFailed, EcsError
from ecs.logs import LogReader
from ecs.one_off_tasks import OneOffTasks, TaskResult
from ecs.options.formats import check_tag
from ecs.screen import Screen
from ecs.stack_state import require_stable
from ecs.template import Template

HELP = "switch to other images, or restart all tasks"
EXAMPLES = """\
  python -m ecs update --tag 3f2a9c1d07be --yes
  python -m ecs update --tag 3f2a9c1d07be --images-only --yes
  python -m ecs update --force
"""
SELF_CHECK = "worker.self_check"
"""The module of a new worker image that must succeed before any service switches to the image."""


def arguments(parser: argparse.ArgumentParser) -> None:
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--tag", help="tag of the images to switch to")
    target.add_argument(
        "--force", action="store_true", help="restart all tasks of worker and web with their current images"
    )
    parser.add_argument("--no-check", action="store_true", help="skip the self-check of the worker image")
    parser.add_argument(
        "--images-only",
        action="store_true",
        help="keep the template of the deployment, also if this checkout has another one, as in CI",
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    tag = check_tag(options.tag)
    require_stable(deployment.app.state(), deployment.names.app)
    if not tag:
        return restart_services(deployment, screen)
    return switch_images(deployment, screen, tag, not options.no_check, options.images_only)


def switch_images(
    deployment: Deployment, screen: Screen, tag: str, check: bool = True, images_only: bool = False
) -> int:
    """Raises ChangeFailed if the new images fail; ECS then runs the previous ones again."""
    state = require_stable(deployment.app.state(), deployment.names.app)
    running = state.parameters["ImageTag"]
    if running == tag:
        screen.print(f"{tag} already runs; --force restarts its tasks")
        screen.result({"tag": tag, "before": running})
        return 0
    template = None if images_only else newer_template(deployment, screen)
    parameters = {"ImageTag": tag, **deployment.previous_tags_parameter(tag)}
    if template:
        parameters |= deployment.base_outputs(template)
    after = {**state.parameters, **parameters}
    if template:
        events.check_served(after)
    images.require(deployment.aws.client("ecr"), deployment.names, after, tag)
    if check:
        screen.require_answerable(f"{deployment.names.app} was not changed")
        check_worker_image(deployment, screen, images.uri_of_worker(after, tag), tag)
    up.apply(deployment, deployment.app, template, parameters, screen)
    screen.print(f"{tag} runs now; python -m ecs rollback --to {running} switches back")
    screen.result({"tag": tag, "before": running})
    return 0


def newer_template(deployment: Deployment, screen: Screen) -> Template | None:
    """The template of this checkout, if the deployment has another one."""
    template = Template("app")
    if deployment.base.template_body() != Template("base").body:
        screen.print(f"{deployment.names.base} has another template; python -m ecs up changes it")
    if deployment.app.template_body() == template.body:
        return None
    screen.print(f"{deployment.names.app} has another template; the update takes along the one that is here")
    return template


def check_worker_image(deployment: Deployment, screen: Screen, image: str, tag: str) -> None:
    """Runs the self-check in a task with the new worker image. Raises ChangeFailed if it fails."""
    tasks = OneOffTasks(deployment.aws.client("ecs"), deployment.names, deployment.wait)
    screen.print(f"running the self-check of {image}")
    try:
        task_definition = tasks.copy_task_definition("worker", deployment.names.check_family, image)
    except ParamValidationError as error:  # an AWS emulator can describe it with keys that it does not accept
        raise EcsError(
            f"the worker's task definition cannot be copied: {explain_error(error)}",
            "--no-check skips the self-check",
        ) from None
    try:
        task = tasks.start("worker", ["python", "-m", SELF_CHECK], task_definition)
        with tasks.stop_on_error(task):
            result = tasks.wait_until_stopped(task, lambda status: None)
    finally:
        tasks.deregister(task_definition)
    if result.exit_status != 0:
        _report_failed_check(deployment, screen, tag, result)


def _report_failed_check(deployment: Deployment, screen: Screen, tag: str, result: TaskResult) -> None:
    """Prints the last log lines of the task, and raises ChangeFailed."""
    events = LogReader(deployment, ["worker"], 0, f"worker/worker/{result.task}").read()
    lines = [event["message"].rstrip() for _, event in events[-10:]]
    for line in lines:
        screen.print(f"  {line}")
    if any(f"No module named {SELF_CHECK}" in line for line in lines):
        raise ChangeFailed(
            f"the worker image {tag} is of a version without a self-check",
            "no service was switched to it; with --no-check, update switches to it without one",
        )
    raise ChangeFailed(
        f"the worker image {tag} fails its self-check: {result}",
        "no service was switched to it; correct the image, push it under another tag, and update again",
    )


def restart_services(deployment: Deployment, screen: Screen) -> int:
    screen.confirm("Restart all tasks of worker and web? [y/N]", "nothing was changed")
    names = [service.name for service in deployment.services.all() if service.name != "redis"]
    for name in names:
        deployment.services.restart(name)
        deployment.services.wait_until_stable(name, lambda service: screen.print(service.summary))
    screen.result({"restarted": names})
    return 0
