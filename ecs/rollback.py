"""rollback: switches back to images that ran before. Without --to, lists them and changes nothing."""

import argparse
from collections.abc import Mapping
from typing import Any

from ecs import images, update
from ecs.deployment import Deployment, previous_tags
from ecs.errors import InvalidUsage, ResourceNotFound
from ecs.names import ResourceNames
from ecs.screen import Screen
from ecs.stack_state import require_stable

HELP = "switch back to images that ran before"
EXAMPLES = "  python -m ecs rollback\n  python -m ecs rollback --to 3f2a9c1d07be --yes\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="TAG", help="tag of the images to switch back to")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    state = require_stable(deployment.app.state(), deployment.names.app)
    previous = previous_tags(state.parameters)
    if not previous:
        raise ResourceNotFound(
            f"{deployment.names.deployment} has no earlier images to roll back to",
            "python -m ecs update --tag TAG switches to other images",
        )
    if options.to in previous:
        # No self-check: these images ran before, and the running ones need to be replaced quickly.
        return update.switch_images(deployment, screen, options.to, check=False, images_only=True)
    _list(deployment, screen, state.parameters, previous)
    wrong = f"{options.to} did not run before" if options.to else "there are several images to go back to"
    if len(previous) == 1 and not options.to:
        wrong = "say which images to go back to"
    raise InvalidUsage(f"{wrong}; nothing was changed", f"python -m ecs rollback --to {previous[0]}")


def _list(deployment: Deployment, screen: Screen, parameters: Mapping[str, str], previous: list[str]) -> None:
    ecr = deployment.aws.client("ecr")
    rows = [(tag, _pushed(ecr, deployment.names, parameters, tag)) for tag in previous]
    screen.table(("tag", "pushed"), [(parameters["ImageTag"], "runs now"), *rows])
    screen.result([{"tag": tag, "pushed": pushed} for tag, pushed in rows])


def _pushed(ecr: Any, names: ResourceNames, parameters: Mapping[str, str], tag: str) -> str:
    """When the image that the workers would have was pushed."""
    image = images.of_worker(parameters)
    own = images.of_tasks(parameters, tag)[image]
    found = images.details(ecr, names.repository(image), own)
    return f"{found[0]['imagePushedAt']:%Y-%m-%d %H:%M}" if found else "no longer in the registry"
