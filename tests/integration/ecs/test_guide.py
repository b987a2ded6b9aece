"""Every command in docs/guides/ecs.md runs, in order, and prints what the page shows."""

import re
import subprocess

from ecs.__main__ import COMMANDS
from ecs.costs import TemplateShape, monthly
from tests.integration.ecs.cloud import REGION, Cloud
from tests.integration.service import ROOT

GUIDE = (ROOT / "docs" / "guides" / "ecs.md").read_text()
ANYTHING = "…"


def examples() -> list[tuple[str, str]]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed.strip()))
    return found


def matches(printed: str, shown: str) -> bool:
    pattern = r"\s*.*?\s*".join(re.escape(part.strip()) for part in shown.split(ANYTHING))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def test_commands_print_what_the_guide_shows(cloud: Cloud) -> None:
    tag = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    for command, shown in examples():
        if command.startswith("export"):
            assert command == f"export AWS_REGION={REGION}"
            continue
        first = ""
        if "--push" in command:  # it needs Docker; tests/containers/test_push.py runs it
            command = command.replace(" --push", "")
            first = printed_by(cloud, command)
            cloud.push("paygrade", tag)
        printed = first + printed_by(cloud, command)
        assert matches(printed.strip(), shown), f"{command}\nprinted: {printed}\nREADME: {shown}"


def printed_by(cloud: Cloud, command: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} 2>&1"],
        cwd=ROOT,
        env=cloud.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.stdout


def test_every_command_is_in_the_readme() -> None:
    rows = "\n".join(re.findall(r"^\| `.*$", GUIDE, re.MULTILINE))
    assert [name for name in COMMANDS if f"`{name}" not in rows] == []


GROUPS = {
    "web": ("web: tasks",),
    "workers of the warm hours": ("worker: tasks",),
    "redis": ("redis: tasks",),
    "ElastiCache": ("ElastiCache: nodes",),
    "load balancer": ("load balancer",),
    "public addresses": tuple(
        f"{name}: public addresses" for name in ("web", "worker", "redis", "load balancer")
    ),
    "alarms, metrics": ("alarms", "web: metrics"),
}
"""The parts of each row of the table in the guide; all others are in one row."""


def test_the_costs_in_the_guide_are_those_of_cost() -> None:
    columns: list[dict[str, str]] = [
        {},
        {"Warm": "never"},
        {"Front": "api", "Warm": "never"},
        {"Redis": "elasticache"},
        {"Production": "yes"},
    ]
    costs = [{part.name: part.usd for part in monthly(TemplateShape.of(each, each))} for each in columns]
    rows = {
        name: [sum(cost.get(part, 0) for part in parts) for cost in costs] for name, parts in GROUPS.items()
    }
    rows["secrets, DNS, logs, images"] = [
        sum(cost.values()) - sum(rows[name][number] for name in GROUPS) for number, cost in enumerate(costs)
    ]
    table = [
        f"| {name} | " + " | ".join(f"{value:.0f}" if value else "" for value in values) + " |"
        for name, values in rows.items()
    ]
    table.append("| **sum** | " + " | ".join(f"**{sum(cost.values()):.0f}**" for cost in costs) + " |")
    assert "\n".join(table) in GUIDE, "\n".join(table)
