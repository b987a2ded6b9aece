"""doctor: looks for what would make a change fail later, and less clearly. Changes nothing."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from ecs import images, rights
from ecs.aws import AWS_ERRORS, in_a_line
from ecs.deployment import Deployment
from ecs.errors import BadInput, EcsError
from ecs.invariants import INVARIANTS, Given
from ecs.options import add_options, app_parameters, base_parameters
from ecs.screen import Screen
from ecs.template import Template

HELP = "look for what would make a change fail"
EXAMPLES = """\
  python -m ecs doctor
  python -m ecs doctor --redis elasticache --worker-size 4096/8192
"""
arguments = add_options
_FARGATE_CPUS = "L-3032A538"
_VPCS = "L-F678F1CE"


@dataclass(frozen=True)
class Finding:
    about: str
    wrong: bool | None
    """None: it cannot be told."""
    said: str


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    who = deployment.aws.identity()  # without credentials nothing else can be looked at
    found = [Finding("who we are", False, f"{who['Arn']}, in {deployment.aws.region}")]
    for about, check in _checks(deployment, options, who["Arn"]).items():
        found.append(_found(about, check))
    marks = {True: "wrong", False: "ok", None: "?"}
    screen.table(("", "about", "found"), [(marks[each.wrong], each.about, each.said) for each in found])
    wrong, untold = ([each for each in found if each.wrong is verdict] for verdict in (True, None))
    screen.say(
        f"\nwrong: {len(wrong)} of {len(found)}" + (f"; cannot be told: {len(untold)}" if untold else "")
    )
    screen.result([{"about": each.about, "found": marks[each.wrong], "said": each.said} for each in found])
    return 1 if wrong else 0


Check = Callable[[], Iterable[str]]


def _checks(deployment: Deployment, options: argparse.Namespace, arn: str) -> dict[str, Check]:
    """By what they are about; each yields what is wrong. Of what there is, changed as the options ask."""
    base = Given(Template("base").parsed, deployment.base.kept() | base_parameters(options))
    app = Given(Template("app").parsed, deployment.app.kept() | app_parameters(options))
    return {
        "zones and HTTPS": lambda: _fit(deployment, options),
        "rights": lambda: rights.missing(deployment.aws, arn, rights.wanted(base, app)),
        "role of ECS": lambda: rights.no_role_of_ecs(deployment.aws),
        "quota of VPCs": lambda: _vpcs(deployment),
        "quota of Fargate": lambda: _cpus(deployment, app),
        "stacks at rest": lambda: _stacks(deployment),
        "images": lambda: _images(deployment, options.tag),
        **{about: partial(rule, app) for about, rule in INVARIANTS.items()},
        "changed by hand": lambda: _drift(deployment),
    }


def _found(about: str, check: Check) -> Finding:
    try:
        wrong = list(check())
    except AWS_ERRORS as error:
        return Finding(about, None, f"cannot be told: {in_a_line(error)}")
    except BadInput as error:  # up would refuse it in the same words
        return Finding(about, True, f"{error}: {error.next_step}")
    except EcsError as error:
        return Finding(about, None, f"cannot be told: {error}")
    return Finding(about, bool(wrong), "; ".join(wrong))


def _fit(deployment: Deployment, options: argparse.Namespace) -> Iterable[str]:
    deployment.fitted(app_parameters(options), options.zones)
    return ()


def _vpcs(deployment: Deployment) -> Iterator[str]:
    if deployment.app.state():
        return
    there = len(deployment.aws.client("ec2").describe_vpcs()["Vpcs"])
    quota = _quota(deployment, "vpc", _VPCS)
    if there + 1 > quota:
        yield f"{there} VPCs are there, and {quota:.0f} is the quota: remove one, or ask for more"


def _cpus(deployment: Deployment, app: Given) -> Iterator[str]:
    wanted = vcpus_of_an_update(app)
    quota = _quota(deployment, "fargate", _FARGATE_CPUS)
    if quota < wanted:
        yield f"{quota:.0f} vCPUs on demand are the quota, an update takes {wanted:.2f}: ask for more"


def vcpus_of_an_update(app: Given) -> float:
    """With one task of each: old and new are there at once, but never two of Redis."""
    tasks = {"WebTask": 2, "WorkerTask": 2, "RedisTask": 1 if app.parameter("Redis") == "ecs" else 0}
    return sum(count * app.number(app.properties(task)["Cpu"]) for task, count in tasks.items()) / 1024


def _quota(deployment: Deployment, service: str, code: str) -> float:
    quotas = deployment.aws.client("service-quotas")
    return float(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])


def _stacks(deployment: Deployment) -> Iterator[str]:
    for stack in (deployment.base, deployment.app):
        state = stack.state()
        if state and not state.good and state.status != "UPDATE_ROLLBACK_COMPLETE" and not state.empty:
            yield f"{stack.name} is {state.status} ({state.reason or 'no reason given'}): python -m ecs up"


def _images(deployment: Deployment, tag: str | None) -> Iterator[str]:
    state = deployment.app.state()
    wanted = deployment.first_tag(tag) or (state.parameters["ImageTag"] if state else "")
    absent = images.missing(deployment.aws.client("ecr"), deployment.names, wanted)
    if absent:
        push = f"push --tag {tag}" if tag else "push"
        yield f"{' and '.join(absent)} not in the registry: python -m ecs {push}"


def _drift(deployment: Deployment) -> Iterator[str]:
    """What somebody changed past CloudFormation, which the next update may undo or stumble over."""
    for stack in (deployment.base, deployment.app):
        if stack.state():
            yield from _drift_of(deployment, stack.name)


def _drift_of(deployment: Deployment, stack: str) -> Iterator[str]:
    cloudformation = deployment.aws.client("cloudformation")
    detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    while True:
        now = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if now["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        deployment.wait(2)
    drifted = cloudformation.describe_stack_resource_drifts(
        StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
    )["StackResourceDrifts"]
    for each in drifted:
        paths = ", ".join(one["PropertyPath"] for one in each.get("PropertyDifferences", []))
        yield f"{each['LogicalResourceId']} {each['StackResourceDriftStatus'].lower()} {paths}".strip()
