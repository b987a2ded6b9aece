"""key: makes a key for another caller."""

import argparse
import re

from ecs import keys
from ecs.deployment import Deployment
from ecs.errors import BadInput
from ecs.screen import Screen
from ecs.template import Template

HELP = "make a key for a caller"
EXAMPLES = "  python -m ecs key alice\n  python -m ecs key prometheus --operate\n"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="whose it is: jobs belong to names")
    parser.add_argument("--operate", action="store_true", help="may see what operators see")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    if not _NAME.fullmatch(options.name):
        raise BadInput(f"{options.name!r} cannot be a name: 1 to 32 of a-z, 0-9, _ and -", "as in alice-2")
    arn = deployment.base_outputs(Template("app"))["ApiKeysArn"]
    key = keys.add_key(deployment.aws.client("secretsmanager"), arn, options.name, options.operate)
    screen.say(f"key of {options.name}, shown this once: {key}")
    screen.say("  python -m ecs update --force makes it known to the tasks")
    screen.result({"name": options.name, "key": key})
    return 0
