"""key: creates an API key for another caller."""

import argparse
import re

from ecs import api_keys
from ecs.deployment import Deployment
from ecs.errors import InvalidUsage
from ecs.screen import Screen
from ecs.template import Template

HELP = "create an API key for a caller"
EXAMPLES = "  python -m ecs key alice\n  python -m ecs key prometheus --operate\n"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="owner of the key, and of all jobs posted with it")
    parser.add_argument("--operate", action="store_true", help="add the scope operate, for operators")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    if not _NAME.fullmatch(options.name):
        raise InvalidUsage(
            f"{options.name!r} is not a valid owner: use 1 to 32 characters from a-z, 0-9, _ and -",
            "choose another name, for example alice-2",
        )
    arn = deployment.base_outputs(Template("app"))["ApiKeysArn"]
    key = api_keys.add_key(deployment.aws.client("secretsmanager"), arn, options.name, options.operate)
    screen.print(f"API key of {options.name}, shown only now: {key}")
    screen.print("  python -m ecs update --force restarts the tasks, which then accept it")
    screen.result({"name": options.name, "key": key})
    return 0
