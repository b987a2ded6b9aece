"""up: creates the deployment, or changes it to match the templates and options."""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ecs import api_keys, bucket, events, images, plan, push, scale, summary
from ecs.changes import ResourceChange, resources_losing_data
from ecs.costs import WEB_TASKS_IN_PRODUCTION, TemplateShape
from ecs.deployment import Deployment, Parameters
from ecs.durations import elapsed
from ecs.errors import ChangeFailed, InvalidUsage, ResourceNotFound
from ecs.options import add_options, app_parameters, base_parameters
from ecs.progress import follow
from ecs.screen import Screen
from ecs.stack import EventStream, Stack
from ecs.tags import Tags, parse_tags
from ecs.template import Template

HELP = "create the deployment, or change it"
EXAMPLES = """\
  python -m ecs up --push
  python -m ecs up --front api
  python -m ecs up --production --redis elasticache --alarm-email ada@example.com
  python -m ecs up --front none --warm never --yes
  python -m ecs up --certificate arn:aws:acm:eu-central-1:123456789012:certificate/… --domain pay.example.com
  python -m ecs up --redis-memory 2048 --retention 10m --web-size 1024/2048 --web-count 2
  python -m ecs up --bundles s3://my-bucket/models --set PAYGRADE_DEFAULT_MODEL=wages
  python -m ecs up --gitlab group/project
  python -m ecs up --events
"""
MINUTES = "8 to 12 minutes: the file system and the load balancer take 3 each, and the services start in turn"
"""Of a new deployment, beside the images (estimate)."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser)
    parser.add_argument("--push", action="store_true", help="build and push the images of this commit first")
    parser.add_argument(
        "--lose-jobs", action="store_true", help="allow a change that loses all jobs in Redis"
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    base_parameters(options), app_parameters(options)  # wrong options are refused first
    sources = push.declare(options.tag) if options.push else None
    for stack in deployment.stacks:
        recover(deployment, stack, screen)
    parameters, tags = _checked_parameters(deployment, screen, options), parse_tags(options.tags)
    apply(deployment, deployment.base, Template("base"), parameters.base, screen, tags)
    if parameters.events is not None:
        of_events = Template("events")
        values = parameters.events | deployment.base_outputs(of_events)
        apply(deployment, deployment.events, of_events, values, screen, tags)
        events.notify(deployment.aws.client("s3"), deployment.files, on=True)
    template = Template("app")
    values = parameters.app | deployment.base_outputs(template)
    values |= _images(deployment, screen, options, sources, values)
    values |= events.app_parameters(deployment.events, parameters.events is not None)
    key = _first_key(deployment, screen, values)
    app = deployment.app.parameters() | values
    summary.show(screen, TemplateShape.of(deployment.base.parameters(), app, options.web_count))
    apply(deployment, deployment.app, template, values, screen, tags, options.lose_jobs)
    if parameters.events is None:
        _remove_events(deployment, screen)
    if options.production is not None:
        deployment.protect(options.production)
    _set_web_count(deployment, screen, options)
    address = _show_address(deployment, screen, key)
    bucket.let_page_upload(deployment.aws, values["FilesBucket"], address, deployment.app.parameters())
    screen.result({"address": address, "key": key})
    return 0


def _remove_events(deployment: Deployment, screen: Screen) -> None:
    """Once web no longer needs them."""
    if deployment.events.state():
        screen.confirm(
            f"Delete {deployment.names.events} with the messages that wait, and the schedules? [y/N]",
            f"{deployment.names.events} was not deleted",
        )
        events.notify(deployment.aws.client("s3"), deployment.files, on=False)
        follow(deployment.events, deployment.events.delete(), screen, deployment.stop_reason)


def _checked_parameters(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> Parameters:
    """Raises InvalidUsage for what could not work, or would lose jobs without --lose-jobs."""
    parameters = deployment.checked_parameters(options)
    summary.check_bundles(deployment, screen, options, parameters.app)
    deployment.check_jobs_are_kept(parameters.app, options.lose_jobs)
    if not options.push:
        deployment.tag_to_deploy(options.tag)  # without one, nothing is made
    if not deployment.app.state():
        screen.print(f"a new deployment in {deployment.location()}; it takes {MINUTES}")
    return parameters


def _images(
    deployment: Deployment,
    screen: Screen,
    options: argparse.Namespace,
    sources: push.Sources | None,
    values: dict[str, str],
) -> dict[str, str]:
    """Pushes the images if that was asked for. The parameters that name them; none if they stay.

    `values` are the other parameters that the deployment will have.
    """
    if sources:
        with timed(screen, "images"):
            push.push_images(deployment, screen, sources, push.architecture_of(deployment, options.arch))
    tag = sources.tag if sources else deployment.tag_to_deploy(options.tag)
    of_commit = bool(tag) and options.tag is None
    before = deployment.app.parameters()
    after = before | values
    if not tag and images.of_tasks(before, before["ImageTag"]) != images.of_tasks(after, before["ImageTag"]):
        tag = before["ImageTag"]  # its images for other processors, or for other queues
    if not tag:
        return {}
    images.require(deployment.aws.client("ecr"), deployment.names, after, tag, of_commit)
    return {"ImageTag": tag, **deployment.previous_tags_parameter(tag)}


def _first_key(deployment: Deployment, screen: Screen, values: dict[str, str]) -> str | None:
    """Prints the key before the next step, which takes minutes and can fail: it cannot be shown again."""
    secret = api_keys.EntrySecret(deployment.aws.client("secretsmanager"), values["ApiKeysArn"])
    key = api_keys.create_first_key(secret)
    if key:
        screen.print(f"API key of the first caller, shown only now: {key}\n")
    return key


def _show_address(deployment: Deployment, screen: Screen, key: str | None) -> str:
    """Prints the address and how to call it. Returns the address, empty if there is none yet."""
    try:
        address = deployment.address()
    except ResourceNotFound as error:  # without a load balancer, the address comes with the task
        address = ""
        screen.print(f"\nPaygrade is up, but {error}; python -m ecs url prints it later")
    else:
        screen.print(f"\nPaygrade is up at {address}\n  {api_keys.curl_command(address, key)}")
    if not key:
        screen.print("  with a key that was shown earlier; python -m ecs key add NAME creates another")
    if target := deployment.domain_target():
        screen.print(f"  the domain's DNS record must point to {target}; see HTTPS in docs/guides/ecs.md")
    if address.startswith("http://"):
        screen.print("  without --certificate, keys and rows travel unencrypted")
    return address


def apply(
    deployment: Deployment,
    stack: Stack,
    template: Template | None,
    parameters: dict[str, str],
    screen: Screen,
    tags: Tags | None = None,
    lose_jobs: bool = False,
) -> None:
    """Shows the plan, asks for confirmation, and follows the change to its end."""
    with stack.change_set(template, parameters, tags) as change_set:
        if change_set is None:
            screen.print(f"{stack.name}: nothing to change")
            return
        plan.show(screen, stack.name, change_set.changes)
        check_data_is_kept(stack, change_set.changes, lose_jobs)
        question = f"Change {stack.name} in {deployment.location()}? [y/N]"
        screen.confirm(question, f"{stack.name} was not changed")
        with timed(screen, stack.name):
            follow(stack, stack.execute(change_set), screen, deployment.stop_reason)


def check_data_is_kept(stack: Stack, changes: list[ResourceChange], lose_jobs: bool) -> None:
    """Raises InvalidUsage for a change that loses data, unless that was asked for."""
    if (losing := resources_losing_data(changes)) and not lose_jobs:
        raise InvalidUsage(
            f"the change of {stack.name} loses the data in {' and '.join(losing)}; nothing was changed",
            "pass --lose-jobs as well if that is wanted",
        )


def _set_web_count(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> None:
    """In production, web has a task in each zone at least."""
    count = options.web_count
    if options.production and count is None:
        count = max(WEB_TASKS_IN_PRODUCTION, deployment.services.get("web").desired)
    if count is not None:
        scale.to(deployment, screen, "web", count)


@contextmanager
def timed(screen: Screen, step: str) -> Iterator[None]:
    """Says how long the step took."""
    begin = time.monotonic()
    yield
    screen.print(f"{step}: {elapsed(time.monotonic() - begin)}")


def recover(deployment: Deployment, stack: Stack, screen: Screen) -> None:
    """Completes or removes what an earlier run left, so that the stack can be changed."""
    state = stack.state()
    if state and state.in_progress:
        screen.print(f"{stack.name} is being changed ({state.status}); following the change")
        _follow_earlier_change(deployment, stack, stack.follow(state.id), screen)
        state = stack.state()
    if state and state.rollback_failed:
        screen.print(f"the rollback of {stack.name} failed; continuing it")
        _follow_earlier_change(deployment, stack, stack.continue_rollback(), screen)
        state = stack.state()
        if state and state.rollback_failed:
            raise ChangeFailed(
                f"{stack.name} is still in {state.status}",
                "correct the errors printed above, then run python -m ecs up again",
            )
    if state and state.must_be_deleted:
        screen.print(f"a failed change left {stack.name} in {state.status}")
        screen.confirm(
            f"Delete {stack.name}? [y/N]",
            f"{stack.name} was not deleted; it can only be deleted and recreated",
        )
        follow(stack, stack.delete(), screen, deployment.stop_reason)


def _follow_earlier_change(deployment: Deployment, stack: Stack, events: EventStream, screen: Screen) -> None:
    """Prints a failure instead of raising it: this run tries the change again."""
    try:
        follow(stack, events, screen, deployment.stop_reason)
    except ChangeFailed as error:
        screen.print(str(error))
