"""paygrade capacity."""

import argparse

from paygrade.client import Client
from paygrade.commands.arguments import Command, add_json
from paygrade.commands.render import as_json, capacity_lines

EXAMPLES = """\
  paygrade capacity
  paygrade capacity --json
"""


def run(options: argparse.Namespace, client: Client) -> int:
    """Shows what waits, who works, how fast, and whether more is accepted."""
    now = client.capacity()
    print(as_json(now) if options.json else "\n".join(capacity_lines(now)))
    return 0


COMMAND = Command("capacity", "show what waits and who works", EXAMPLES, add_json, run)
