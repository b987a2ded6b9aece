"""paygrade models."""

import argparse

from paygrade.client import Client
from paygrade.commands.arguments import Command, add_json
from paygrade.commands.render import as_json, model_lines

EXAMPLES = """\
  paygrade models
  paygrade models --json | jq .example
"""


def run(options: argparse.Namespace, client: Client) -> int:
    """Lists the models that the service serves, with their versions and what they predict."""
    found = client.models()
    print("\n".join(map(as_json, found) if options.json else model_lines(found)))
    return 0


COMMAND = Command("models", "list the models", EXAMPLES, add_json, run)
