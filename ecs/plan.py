"""plan: shows what `up` would change, and why. Changes nothing."""

import argparse

from ecs import summary
from ecs.changes import ResourceChange, resources_losing_data, summarize
from ecs.costs import TemplateShape
from ecs.deployment import Deployment
from ecs.options import add_options
from ecs.screen import Screen
from ecs.stack import Stack
from ecs.stack_state import require_stable
from ecs.tags import Tags, parse_tags
from ecs.template import Template

HELP = "show what up would change, and why"
EXAMPLES = """\
  python -m ecs plan
  python -m ecs plan --worker-size 2048/4096 --no-spot
"""
arguments = add_options


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    options.tag = deployment.tag_to_deploy(options.tag)
    tags = parse_tags(options.tags)
    parameters = deployment.checked_parameters(options)
    app_values = parameters.app
    template = Template("app")
    summary.check_bundles(deployment, screen, options, app_values)
    base = _changes(deployment.base, Template("base"), parameters.base, tags)
    show(screen, deployment.names.base, base)
    events = _changes_of_events(deployment, screen, parameters.events, tags)
    app = _changes(deployment.app, template, {**deployment.planned_outputs(template), **app_values}, tags)
    show(screen, deployment.names.app, app)
    shape = TemplateShape.of(
        deployment.base.parameters() | parameters.base,
        deployment.app.parameters() | app_values,
        options.web_count,
    )
    summary.show(screen, shape)
    found = zip(deployment.stacks, (base, events, app), strict=True)
    screen.result(
        {
            stack.name: [change.as_json() for change in changes]
            for stack, changes in found
            if changes is not None
        }
    )
    return 0


def _changes_of_events(
    deployment: Deployment, screen: Screen, parameters: dict[str, str] | None, tags: Tags | None
) -> list[ResourceChange] | None:
    """None where there are none."""
    if parameters is None:
        if deployment.events.state():
            screen.print(f"{deployment.names.events}: will be deleted\n")
        return None
    template = Template("events")
    values = {**deployment.planned_outputs(template), **parameters}
    changes = _changes(deployment.events, template, values, tags)
    show(screen, deployment.names.events, changes)
    return changes


def _changes(
    stack: Stack, template: Template, parameters: dict[str, str], tags: Tags | None
) -> list[ResourceChange]:
    state = stack.state()
    if state and not state.in_review:
        require_stable(state, stack.name)
    with stack.change_set(template, parameters, tags) as change_set:
        return change_set.changes if change_set else []


def show(screen: Screen, stack: str, changes: list[ResourceChange]) -> None:
    screen.print(f"{stack}: {summarize(changes)}")
    if changes:
        rows = [(each.action, each.resource, each.type.removeprefix("AWS::"), each.why) for each in changes]
        screen.table(("", "resource", "type", "why"), sorted(rows))
    if losing := resources_losing_data(changes):
        screen.print(f"the data in {' and '.join(losing)} will be lost: waiting jobs, records, files")
    screen.print()
