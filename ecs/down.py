"""down: removes the deployment, and says what it leaves."""

import argparse
from contextlib import suppress

from ecs import bucket
from ecs.deployment import Deployment
from ecs.errors import ChangeFailed, NotThere
from ecs.once import Once
from ecs.progress import follow
from ecs.screen import Screen
from ecs.stack import Stack

HELP = "remove the deployment"
EXAMPLES = "  python -m ecs down\n  python -m ecs down --delete-files --yes\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delete-files", action="store_true", help="the files of batches too; without it they stay"
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    names = deployment.names
    files = bucket.look(deployment.aws, names.bucket(deployment.aws.account, deployment.aws.region))
    stacks = [stack for stack in (deployment.app, deployment.base) if stack.state()]
    if not stacks and not (files and options.delete_files):
        left = f"; of an earlier one {files} is left" if files else ""
        raise NotThere(
            f"there is no deployment {names.deployment} in {deployment.aws.region}{left}",
            "python -m ecs down --delete-files removes it" if files else "is --region or --stack another?",
        )
    for stack in stacks:
        screen.say(f"{stack.name} goes, with all that is in it")
    if deployment.app in stacks:
        screen.say("  jobs and their records, in Redis and its file, too")
    if deployment.base in stacks:
        screen.say("  the images, the logs, the keys of callers, too")
    if files:
        stays = files.objects and not options.delete_files
        screen.say(f"{files} {'stays' if stays else 'goes'}")
    screen.confirm(
        f"To remove {names.deployment} from {deployment.place()}, type its name:",
        "nothing was removed",
        wanted=names.deployment,
    )
    Once(deployment.aws.client("ecs"), names).stop_all()
    for stack in stacks:
        _remove(deployment, stack, screen)
    kept = bucket.remove(deployment.aws, files, even_if_full=options.delete_files) if files else ""
    screen.say(kept or f"nothing of {names.deployment} is left")
    screen.result({"removed": [stack.name for stack in stacks], "kept": kept})
    return 0


def _remove(deployment: Deployment, stack: Stack, screen: Screen) -> None:
    state = stack.state()
    if state and state.moving:
        screen.say(f"{stack.name} is being changed ({state.status}); it goes once that has ended")
        with suppress(ChangeFailed):  # whatever has become of it goes
            follow(stack, stack.follow(state.id), screen, deployment.why_stopped)
    follow(stack, stack.delete(), screen, deployment.why_stopped)
