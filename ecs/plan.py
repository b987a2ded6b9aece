"""plan: what `up` would do, and why. Changes nothing."""

import argparse

from ecs import prices
from ecs.changes import Change, loses_data, summary
from ecs.deployment import Deployment
from ecs.invariants import Given
from ecs.options import add_options, app_parameters, base_parameters
from ecs.screen import Screen
from ecs.stack import Stack
from ecs.state import needs
from ecs.template import Template

HELP = "show what up would change, and why"
EXAMPLES = """\
  python -m ecs plan
  python -m ecs plan --worker-size 2048/4096 --spot 100
"""
arguments = add_options


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    options.tag = deployment.first_tag(options.tag)
    base_given, app_given = base_parameters(options), app_parameters(options)
    app_given = deployment.fitted(app_given, options.zones)
    template = Template("app")
    base = _changes(deployment.base, Template("base"), {**base_given, **deployment.found(options)})
    show(screen, deployment.names.base, base)
    app = _changes(deployment.app, template, {**deployment.planned_outputs(template), **app_given})
    show(screen, deployment.names.app, app)
    month = sum(prices.month(Given(template.parsed, deployment.app.kept() | app_given)).values())
    screen.say(f"about {month:.0f} USD a month with one worker: an estimate, by {prices.OF}")
    screen.result(
        {
            stack.name: [change.as_json() for change in changes]
            for stack, changes in ((deployment.base, base), (deployment.app, app))
        }
    )
    return 0


def _changes(stack: Stack, template: Template, given: dict[str, str]) -> list[Change]:
    state = stack.state()
    if state and not state.empty:
        needs(state, stack.name)
    with stack.change_set(template, given) as change_set:
        return change_set.changes if change_set else []


def show(screen: Screen, name: str, changes: list[Change]) -> None:
    screen.say(f"{name}: {summary(changes)}")
    if changes:
        rows = [(each.action, each.resource, each.type.removeprefix("AWS::"), each.why) for each in changes]
        screen.table(("", "resource", "type", "why"), sorted(rows))
    if lost := loses_data(changes):
        screen.say(f"what is in {' and '.join(lost)} is lost: jobs that wait, records, files")
    screen.say()
