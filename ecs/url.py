"""url: prints the public address of web."""

import argparse

from ecs.deployment import Deployment
from ecs.screen import Screen

HELP = "print the public address of web"
EXAMPLES = '  curl -s "$(python -m ecs url)/healthz"\n'


def arguments(parser: argparse.ArgumentParser) -> None:
    """Takes no options."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    address = deployment.address()
    if not screen.as_json:
        screen.print(address)
    screen.result({"address": address})
    return 0
