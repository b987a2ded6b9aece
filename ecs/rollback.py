"""rollback: back to the images that ran before."""

import argparse

from ecs import update
from ecs.deployment import Deployment
from ecs.errors import NotThere
from ecs.screen import Screen
from ecs.state import needs

HELP = "go back to the images that ran before"
EXAMPLES = "  python -m ecs rollback --yes\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    before = needs(deployment.app.state(), deployment.names.app).parameters.get("PreviousTag", "none")
    if before == "none":
        raise NotThere("nothing ran before that could be gone back to", "python -m ecs update --tag TAG")
    # It has run: what needs mending is running now, and waits for no trial.
    return update.switch(deployment, screen, before, check=False)
