"""up: makes the deployment, or changes it to what the templates and options say."""

import argparse

from ecs import images, keys, plan
from ecs.deployment import Deployment
from ecs.errors import ChangeFailed, NotThere
from ecs.options import add_options, app_parameters, base_parameters
from ecs.progress import follow
from ecs.screen import Screen
from ecs.stack import Following, Stack
from ecs.template import Template

HELP = "make the deployment, or change it to what is asked"
EXAMPLES = """\
  python -m ecs up
  python -m ecs up --no-alb --spot 100 --yes
  python -m ecs up --certificate arn:aws:acm:eu-central-1:123456789012:certificate/… --domain pay.example.com
  python -m ecs up --gitlab group/project
"""
arguments = add_options


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    base_given, app_given = base_parameters(options), app_parameters(options)
    for stack in (deployment.base, deployment.app):
        bring_to_rest(deployment, stack, screen)
    app_given = deployment.fitted(app_given, options.zones)
    tag = deployment.first_tag(options.tag)
    base_given |= deployment.found(options)
    apply(deployment, deployment.base, Template("base"), base_given, screen)
    if tag:
        images.check(deployment.aws.client("ecr"), deployment.names, tag, of_commit=options.tag is None)
        app_given |= {"ImageTag": tag, **deployment.tag_before(tag)}
    template = Template("app")
    outputs = deployment.base_outputs(template)
    key = keys.first_key(deployment.aws.client("secretsmanager"), outputs["ApiKeysArn"])
    if key:
        # Now, since what follows takes minutes and may fail: a key that was not shown is lost.
        screen.say(f"key of the first caller, shown this once: {key}\n")
    apply(deployment, deployment.app, template, {**outputs, **app_given}, screen)
    address = _tell(deployment, screen, key)
    screen.result({"address": address, "key": key})
    return 0


def _tell(deployment: Deployment, screen: Screen, key: str | None) -> str:
    """Where it is now, and how to call it. Returns the address."""
    try:
        address = deployment.address()
    except NotThere as error:  # without a load balancer it comes with the task
        address = ""
        screen.say(f"\nPaygrade is up, but {error}; python -m ecs url shows it once it has")
    else:
        screen.say(f"\nPaygrade is up at {address}\n  {keys.curl(address, key)}")
    if not key:
        screen.say("  with a key that was shown before; python -m ecs key NAME makes another")
    if target := deployment.domain_target():
        screen.say(f"  DNS has to point it to {target}: see HTTPS in ecs/README.md")
    if address.startswith("http://"):
        screen.say("  without --certificate keys and rows travel unencrypted")
    return address


def apply(
    deployment: Deployment, stack: Stack, template: Template | None, given: dict[str, str], screen: Screen
) -> None:
    """Shows the plan, asks, and follows the change to its end."""
    with stack.change_set(template, given) as change_set:
        if change_set is None:
            screen.say(f"{stack.name}: nothing to change")
            return
        plan.show(screen, stack.name, change_set.changes)
        question = f"Change {stack.name} in {deployment.place()}? [y/N]"
        screen.confirm(question, f"{stack.name} was not changed")
        follow(stack, stack.execute(change_set), screen, deployment.why_stopped)


def bring_to_rest(deployment: Deployment, stack: Stack, screen: Screen) -> None:
    """Takes up what an earlier run has left: follows it, or clears it away."""
    state = stack.state()
    if state and state.moving:
        screen.say(f"{stack.name} is being changed ({state.status}); following it")
        _see_out(deployment, stack, stack.follow(state.id), screen)
        state = stack.state()
    if state and state.stuck:
        screen.say(f"{stack.name} got stuck on its way back; going on with it")
        _see_out(deployment, stack, stack.continue_rollback(), screen)
        state = stack.state()
        if state and state.stuck:
            raise ChangeFailed(
                f"{stack.name} is still {state.status}", "mend what is said above; then up again"
            )
    if state and state.remnant:
        screen.say(f"{stack.name} is what a failed change has left ({state.status})")
        screen.confirm(f"Remove {stack.name}? [y/N]", "it can only be removed and made again")
        follow(stack, stack.delete(), screen, deployment.why_stopped)


def _see_out(deployment: Deployment, stack: Stack, events: Following, screen: Screen) -> None:
    """A change that was begun before: if it fails, it is ours to try again."""
    try:
        follow(stack, events, screen, deployment.why_stopped)
    except ChangeFailed as error:
        screen.say(str(error))
