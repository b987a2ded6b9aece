"""url: where callers find web."""

import argparse

from ecs.deployment import Deployment
from ecs.screen import Screen

HELP = "print the public address"
EXAMPLES = '  curl -s "$(python -m ecs url)/healthz"\n'


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    address = deployment.address()
    if not screen.as_json:
        screen.say(address)
    screen.result({"address": address})
    return 0
