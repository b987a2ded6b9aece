"""down: removes the deployment, and lists what it keeps."""

import argparse
from contextlib import suppress

from ecs import bucket, events
from ecs.bucket import BucketContents
from ecs.deployment import Deployment
from ecs.errors import ChangeFailed, InvalidUsage, ResourceNotFound
from ecs.one_off_tasks import OneOffTasks
from ecs.progress import follow
from ecs.screen import Screen
from ecs.stack import Stack

HELP = "remove the deployment"
EXAMPLES = "  python -m ecs down\n  python -m ecs down --delete-files --yes\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delete-files",
        action="store_true",
        help="also delete the files of batches (default: keep them)",
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    names = deployment.names
    files = bucket.measure(deployment.aws, deployment.files)
    stacks = [stack for stack in reversed(deployment.stacks) if stack.state()]
    if not stacks and not (files and options.delete_files):
        raise _not_found(deployment, files)
    if deployment.in_production:
        raise InvalidUsage(
            f"{names.deployment} in {deployment.location()} is in production, and protected from removal",
            "python -m ecs up --no-production first",
        )
    _show_plan(deployment, screen, stacks, files, options.delete_files)
    screen.confirm(
        f"To remove {names.deployment} from {deployment.location()}, type its name:",
        "nothing was removed",
        expected=names.deployment,
    )
    OneOffTasks(deployment.aws.client("ecs"), names).stop_all()
    for stack in stacks:
        if stack is deployment.events:
            events.stop_notifying(deployment.aws.client("s3"), deployment.files)
        _remove(deployment, stack, screen)
    kept = bucket.delete(deployment.aws, files, with_objects=options.delete_files) if files else ""
    screen.print(kept or f"nothing of {names.deployment} is left")
    screen.result({"removed": [stack.name for stack in stacks], "kept": kept})
    return 0


def _not_found(deployment: Deployment, files: BucketContents | None) -> ResourceNotFound:
    message = f"there is no deployment {deployment.names.deployment} in {deployment.aws.region}"
    if files:
        return ResourceNotFound(
            f"{message}; an earlier one left {files}", "python -m ecs down --delete-files deletes the bucket"
        )
    return ResourceNotFound(message, "check --region and --stack")


def _show_plan(
    deployment: Deployment,
    screen: Screen,
    stacks: list[Stack],
    files: BucketContents | None,
    delete_files: bool,
) -> None:
    for stack in stacks:
        screen.print(f"{stack.name} will be deleted with all its resources")
    if deployment.app in stacks:
        screen.print("  including the jobs and records in Redis and its append-only file")
    if deployment.events in stacks:
        screen.print("  including the messages that wait, and the schedules")
    if deployment.base in stacks:
        screen.print("  including the images, the logs and the callers' API keys")
    if files:
        kept = files.objects and not delete_files
        screen.print(f"{files} will be {'kept' if kept else 'deleted'}")


def _remove(deployment: Deployment, stack: Stack, screen: Screen) -> None:
    state = stack.state()
    if state and state.in_progress:
        screen.print(f"{stack.name} is being changed ({state.status}); it will be deleted after that")
        with suppress(ChangeFailed):  # the stack is deleted whatever the result
            follow(stack, stack.follow(state.id), screen, deployment.stop_reason)
    follow(stack, stack.delete(), screen, deployment.stop_reason)
