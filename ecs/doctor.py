"""doctor: checks for problems that would make a change fail later and less clearly. Changes nothing."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from ecs import images, permissions
from ecs.aws import AWS_ERRORS, explain_error
from ecs.deployment import Deployment
from ecs.errors import EcsError, InvalidUsage
from ecs.invariants import INVARIANTS
from ecs.options import add_options, app_parameters, base_parameters
from ecs.screen import Screen
from ecs.template import ParameterizedTemplate, Template

HELP = "check for problems that would make a change fail"
EXAMPLES = """\
  python -m ecs doctor
  python -m ecs doctor --redis elasticache --worker-size 4096/8192
"""
arguments = add_options
_FARGATE_VCPU_QUOTA = "L-3032A538"
_VPC_QUOTA = "L-F678F1CE"
_STATUSES = {True: "ok", False: "wrong", None: "?"}


@dataclass(frozen=True)
class CheckResult:
    check: str
    passed: bool | None
    """None: the check could not be made."""
    detail: str


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    identity = deployment.aws.identity()  # no check works without credentials
    results = [CheckResult("identity", True, f"{identity['Arn']}, in {deployment.aws.region}")]
    for name, check in _checks(deployment, options, identity["Arn"]).items():
        results.append(_perform(name, check))
    screen.table(
        ("", "check", "result"), [(_STATUSES[each.passed], each.check, each.detail) for each in results]
    )
    failed, unknown = ([each for each in results if each.passed is passed] for passed in (False, None))
    screen.print(
        f"\nfailed: {len(failed)} of {len(results)} checks"
        + (f"; not checked: {len(unknown)}" if unknown else "")
    )
    screen.result(
        [{"check": each.check, "status": _STATUSES[each.passed], "detail": each.detail} for each in results]
    )
    return 1 if failed else 0


Check = Callable[[], Iterable[str]]
"""Yields the problems that it finds."""


def _checks(deployment: Deployment, options: argparse.Namespace, arn: str) -> dict[str, Check]:
    """The checks by name, on the current deployment with the changes that the options request."""
    base = ParameterizedTemplate(
        Template("base").parsed, deployment.base.parameters() | base_parameters(options)
    )
    app = ParameterizedTemplate(Template("app").parsed, deployment.app.parameters() | app_parameters(options))
    return {
        "network and HTTPS": lambda: _network_and_https(deployment, options),
        "permissions": lambda: permissions.denied(
            deployment.aws, arn, permissions.required_actions(base, app, deployment.has_events(options))
        ),
        "role of ECS": lambda: permissions.missing_service_linked_role(deployment.aws),
        "VPC quota": lambda: _vpc_quota(deployment, base),
        "Fargate quota": lambda: _fargate_quota(deployment, app),
        "stack status": lambda: _stack_status(deployment),
        "images": lambda: _images(deployment, options),
        **{name: partial(invariant, app) for name, invariant in INVARIANTS.items()},
        "manual changes": lambda: _drift(deployment),
    }


def _perform(name: str, check: Check) -> CheckResult:
    try:
        problems = list(check())
    except AWS_ERRORS as error:
        return CheckResult(name, None, f"not checked: {explain_error(error)}")
    except InvalidUsage as error:  # `up` would refuse it with the same message
        return CheckResult(name, False, f"{error}: {error.next_step}")
    except EcsError as error:
        return CheckResult(name, None, f"not checked: {error}")
    return CheckResult(name, not problems, "; ".join(problems))


def _network_and_https(deployment: Deployment, options: argparse.Namespace) -> Iterable[str]:
    deployment.checked_parameters(options)
    return ()


def _vpc_quota(deployment: Deployment, base: ParameterizedTemplate) -> Iterator[str]:
    if deployment.base.state() or base.parameter("ExistingVpc"):
        return
    existing = len(deployment.aws.client("ec2").describe_vpcs()["Vpcs"])
    quota = _quota(deployment, "vpc", _VPC_QUOTA)
    if existing + 1 > quota:
        yield f"{existing} VPCs exist and the quota is {quota:.0f}: delete one, or request an increase"


def _fargate_quota(deployment: Deployment, app: ParameterizedTemplate) -> Iterator[str]:
    required = vcpus_during_update(app)
    quota = _quota(deployment, "fargate", _FARGATE_VCPU_QUOTA)
    if quota < required:
        yield f"all tasks take up to {required:.2f} vCPUs and the quota is {quota:.0f}: request an increase"


def vcpus_during_update(app: ParameterizedTemplate) -> float:
    """With the most workers: web and worker run twice during an update, Redis never does."""
    workers = max(2, int(app.parameter("MostWorkers")))
    tasks = {"WebTask": 2, "WorkerTask": workers, "RedisTask": 1 if app.parameter("Redis") == "ecs" else 0}
    return sum(count * app.number(app.properties(task)["Cpu"]) for task, count in tasks.items()) / 1024


def _quota(deployment: Deployment, service: str, code: str) -> float:
    quotas = deployment.aws.client("service-quotas")
    return float(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])


def _stack_status(deployment: Deployment) -> Iterator[str]:
    for stack in deployment.stacks:
        state = stack.state()
        if state and not (state.complete or state.in_review or state.status == "UPDATE_ROLLBACK_COMPLETE"):
            reason = state.reason or "no reason given"
            yield f"{stack.name} is in {state.status} ({reason}): run python -m ecs up"


def _images(deployment: Deployment, options: argparse.Namespace) -> Iterator[str]:
    current = deployment.app.parameters()
    required = deployment.tag_to_deploy(options.tag) or current.get("ImageTag", "")
    after = deployment.planned_outputs(Template("app")) | current | app_parameters(options)
    wanted = images.of_tasks(after, required)
    if absent := images.missing(deployment.aws.client("ecr"), deployment.names, wanted):
        push = f"push --tag {options.tag}" if options.tag else "up --push"
        yield f"{' and '.join(absent)} not in the registry: run python -m ecs {push}"


def _drift(deployment: Deployment) -> Iterator[str]:
    """Changes made outside CloudFormation, which the next update can undo or fail on."""
    for stack in deployment.stacks:
        if stack.state():
            yield from _stack_drift(deployment, stack.name)


def _stack_drift(deployment: Deployment, stack: str) -> Iterator[str]:
    cloudformation = deployment.aws.client("cloudformation")
    detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    while True:
        status = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        deployment.wait(2)
    drifts = cloudformation.describe_stack_resource_drifts(
        StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
    )["StackResourceDrifts"]
    for drift in drifts:
        paths = ", ".join(each["PropertyPath"] for each in drift.get("PropertyDifferences", []))
        yield f"{drift['LogicalResourceId']} {drift['StackResourceDriftStatus'].lower()} {paths}".strip()
