"""python -m ops capacity."""

import argparse

from jobs.settings import Settings
from ops.render import as_json, members, table
from ops.stored_jobs import Resource, StoredJobs

HELP = "show what waits and who works"
EXAMPLES = """\
  python -m ops capacity
  python -m ops capacity --json
"""


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Shows what waits, who works, how fast, and whether more is accepted."""
    now = StoredJobs.connect(settings).capacity()
    print(as_json(now) if options.json else "\n".join(capacity_lines(now)))
    return 0


def capacity_lines(now: Resource) -> list[str]:
    processes = [
        (each["of"], each["name"], each["release"], each["rows_per_second"]) for each in now["processes"]
    ]
    totals = {name: value for name, value in now.items() if name not in ("object", "processes")}
    return [*members(totals), "", *table(("of", "process", "release", "rows/s"), processes)]
