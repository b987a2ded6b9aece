"""rights: prints the IAM policy that the role of an operator needs. It takes the options of `up`."""

import argparse
import json
from collections.abc import Iterable
from typing import Any

from ecs import permissions
from ecs.deployment import Deployment
from ecs.names import SERVICES
from ecs.options import add_options, app_parameters, base_parameters
from ecs.screen import Screen
from ecs.template import ParameterizedTemplate, Template

HELP = "print the IAM policy that an operator needs"
EXAMPLES = """\
  python -m ecs rights > policy.json
  python -m ecs rights --boundary arn:aws:iam::123456789012:policy/boundary --role-path /teams/data/
"""
arguments = add_options
MAX_CHARACTERS = 10_240
"""Characters of the inline policies of a role, without white space."""
_READING = ("Describe", "Get", "List", "BatchGet")
_MANY = 3
_ANYWHERE = {
    "ecr:GetAuthorizationToken",
    "ecs:CreateCluster",
    "ecs:DeregisterTaskDefinition",
    "iam:CreateServiceLinkedRole",
}
"""Actions that change something and that AWS does not restrict to resources with the deployment's name."""
_SECRETS = ("ApiKeys", "RedisPassword", "RedisUrl", "WebhookSecrets")
_SCOPES = {
    "cloudformation": (
        "arn:{partition}:cloudformation:{region}:{account}:stack/{name}-base/*",
        "arn:{partition}:cloudformation:{region}:{account}:stack/{name}-app/*",
        "arn:{partition}:cloudformation:{region}:{account}:stack/{name}-events/*",
    ),
    "ecr": ("arn:{partition}:ecr:{region}:{account}:repository/{name}/*",),
    "ecs": (
        "arn:{partition}:ecs:{region}:{account}:*/{name}",
        "arn:{partition}:ecs:{region}:{account}:*/{name}/*",
        *(
            f"arn:{{partition}}:ecs:{{region}}:{{account}}:task-definition/{{name}}-{each}:*"
            for each in (*SERVICES, "check")
        ),
    ),
    "iam": tuple(
        f"arn:{{partition}}:iam::{{account}}:role{{path}}{{name}}-{each}-*"
        for each in ("base", "app", "events")
    ),
    "events": (
        "arn:{partition}:events:{region}:{account}:event-bus/{name}",
        "arn:{partition}:events:{region}:{account}:rule/{name}-events-*",
    ),
    "logs": ("arn:{partition}:logs:{region}:{account}:log-group:/ecs/{name}/*",),
    "s3": ("arn:{partition}:s3:::{name}-files-*",),
    "scheduler": (
        "arn:{partition}:scheduler:{region}:{account}:schedule-group/{name}",
        "arn:{partition}:scheduler:{region}:{account}:schedule/{name}/*",
    ),
    "sqs": ("arn:{partition}:sqs:{region}:{account}:{name}-events*",),
    "secretsmanager": tuple(
        f"arn:{{partition}}:secretsmanager:{{region}}:{{account}}:secret:{each}-*"
        for each in (*_SECRETS, "{name}-base", "{name}-app")
    ),
}
"""The resources of a service whose names say whose they are."""


_POLICY = "arn:{partition}:iam::{account}:policy{path}{name}-events-*"
_ON_POLICIES = {
    f"iam:{name}"
    for name in ("CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "TagPolicy")
}
"""Those that change the policy of web for events."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    base = ParameterizedTemplate(
        Template("base").parsed, deployment.base.parameters() | base_parameters(options)
    )
    app = ParameterizedTemplate(Template("app").parsed, deployment.app.parameters() | app_parameters(options))
    place = {
        "partition": deployment.aws.partition,
        "region": deployment.aws.region,
        "account": deployment.aws.account,
        "name": deployment.names.deployment,
        "path": base.parameter("RolePath"),
    }
    document = policy(
        permissions.required_actions(base, app, deployment.has_events(options)),
        place,
        boundary=base.parameter("PermissionsBoundary"),
    )
    if not screen.as_json:
        screen.print(json.dumps(document, indent=2))
    screen.result(document)
    return 0


def policy(actions: set[str], place: dict[str, str], boundary: str) -> dict[str, Any]:
    """Reading is allowed anywhere, except of secrets; the rest only where the deployment's name is."""
    anywhere = {action for action in actions if _is_reading(action) or action in _ANYWHERE}
    statements = [_statement(_shortened(anywhere), ["*"])]
    others = set()
    for service in sorted({action.partition(":")[0] for action in actions - anywhere}):
        own = {action for action in actions - anywhere if action.startswith(f"{service}:")}
        if service == "iam":
            statements += _on_roles(own, place, boundary)
        elif service in _SCOPES:
            statements.append(_statement(own, _resources(service, place)))
        else:  # AWS chooses the names of these resources
            others |= own
    return {"Version": "2012-10-17", "Statement": [*statements, _statement(others, ["*"])]}


def _on_roles(actions: set[str], place: dict[str, str], boundary: str) -> Iterable[dict[str, Any]]:
    """Roles with the boundary only, which is a limit just as long as nobody takes it off."""
    roles = _resources("iam", place)
    making = {"iam:CreateRole", "iam:PutRolePermissionsBoundary"} & actions if boundary else set()
    providers = {action for action in actions if "OpenIDConnect" in action}
    policies = actions & _ON_POLICIES
    yield _statement(actions - making - providers - policies - {"iam:PassRole"}, roles)
    services = ["ecs-tasks.amazonaws.com", *(["scheduler.amazonaws.com"] if policies else [])]
    yield _statement({"iam:PassRole"}, roles, {"StringEquals": {"iam:PassedToService": services}})
    if policies:
        yield _statement(policies, [_POLICY.format(**place)])
    if making:
        yield _statement(making, roles, {"StringEquals": {"iam:PermissionsBoundary": boundary}})
    if providers:
        yield _statement(providers, ["*"])


def _is_reading(action: str) -> bool:
    service, _, name = action.partition(":")
    return name.startswith(_READING) and action != "secretsmanager:GetSecretValue" and service != "s3"


def _shortened(actions: set[str]) -> set[str]:
    """Three readings or more of a service are all its readings, to keep the policy short."""
    verbs = [
        f"{service}:{verb}" for service in {each.partition(":")[0] for each in actions} for verb in _READING
    ]
    short = set(actions)
    for verb in verbs:
        same = {action for action in actions if action.startswith(verb)}
        if len(same) >= _MANY:
            short = short - same | {f"{verb}*"}
    return short


def _resources(service: str, place: dict[str, str]) -> list[str]:
    return [each.format(**place) for each in _SCOPES[service]]


def _statement(
    actions: set[str], resources: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})
