"""rollback: switches back to the images that ran before."""

import argparse

from ecs import update
from ecs.deployment import Deployment
from ecs.errors import ResourceNotFound
from ecs.screen import Screen
from ecs.stack_state import require_stable

HELP = "switch back to the images that ran before"
EXAMPLES = "  python -m ecs rollback --yes\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Has none."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    state = require_stable(deployment.app.state(), deployment.names.app)
    previous = state.parameters.get("PreviousTag", "none")
    if previous == "none":
        raise ResourceNotFound(
            f"{deployment.names.deployment} has no earlier images to roll back to",
            "python -m ecs update --tag TAG switches to other images",
        )
    # No self-check: these images ran before, and the running ones need to be replaced quickly.
    return update.switch_images(deployment, screen, previous, check=False)
