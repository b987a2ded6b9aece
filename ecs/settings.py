"""The settings of web and worker that --set changes. Each is a parameter of the app template."""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ecs.errors import InvalidUsage
from ecs.template import Template

PREFIX = "PAYGRADE_"
SECRETS = {
    "REDIS_URL": "up makes the address and the password of Redis",
    "PAYGRADE_API_KEYS": "python -m ecs key add NAME makes a key",
    "PAYGRADE_WEBHOOK_SECRETS": "python -m ecs key webhook NAME makes one",
}
"""Templates and task definitions, which many people can read, never contain them."""
FIXED = {
    "PAYGRADE_DATA": "it is a folder of the task",
    "PAYGRADE_FILES": "up makes a bucket for the files of batches",
    "PAYGRADE_BUNDLES": "pass --bundles s3://BUCKET/PREFIX",
    "PAYGRADE_RETENTION_SECONDS": "pass --retention 6h",
    "PAYGRADE_API_KEYS_FILE": "up makes a secret with the keys",
    "PAYGRADE_WEBHOOK_SECRETS_FILE": "python -m ecs key webhook NAME adds a secret",
    "PAYGRADE_WORKER_SERVICE": "up makes the services of the workers",
    "PAYGRADE_WORKER_SPOT_SERVICE": "pass --spot or --no-spot",
    "PAYGRADE_LEAST_WORKERS": "pass --least N",
    "PAYGRADE_MOST_WORKERS": "pass --most N",
    "PAYGRADE_WARM": "pass --warm HOURS",
    "PAYGRADE_WITHIN_SECONDS": "pass --within SECONDS",
    "PAYGRADE_IDLE_SECONDS": "workers sleep after ten idle minutes",
    "PAYGRADE_WAKING_WAIT_SECONDS": "it follows from what is in front of web",
    **dict.fromkeys(
        ("PAYGRADE_EVENT_QUEUE", "PAYGRADE_EVENT_DEAD_QUEUE", "PAYGRADE_EVENT_BUS", "PAYGRADE_EVENT_TOPIC"),
        "pass --events",
    ),
    "PAYGRADE_OTLP_ENDPOINT": "the images have no OpenTelemetry",
    "PAYGRADE_ALLOW_ANYONE": "web asks for a key: python -m ecs key add NAME",
}
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([^\s,*?]*))?")


@cache
def settable() -> dict[str, dict[str, Any]]:
    """The parameter of each setting that can be set, by the name of the setting."""
    parameters = Template("app").parameters
    by_setting = {setting_of(name): definition for name, definition in parameters.items()}
    in_tasks = {
        each["Name"]
        for resource in Template("app").parsed["Resources"].values()
        if resource["Type"] == "AWS::ECS::TaskDefinition"
        for container in resource["Properties"]["ContainerDefinitions"]
        for each in container.get("Environment", [])
    }
    return {name: by_setting[name] for name in sorted(in_tasks & set(by_setting) - set(FIXED))}


def parameter_of(setting: str) -> str:
    """PAYGRADE_MAX_BODY is the parameter MaxBody."""
    return "".join(word.capitalize() for word in setting.removeprefix(PREFIX).split("_"))


def setting_of(parameter: str) -> str:
    return PREFIX + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parameter).upper()


def setting_parameters(assignments: Sequence[str]) -> dict[str, str]:
    """The parameters of all --set NAME=VALUE; without a value, a setting has its default again.

    Raises InvalidUsage.
    """
    known = settable()
    parameters = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        _check_name(name, known)
        if not equals:
            raise InvalidUsage(f"--set {assignment}: the format is NAME=VALUE", f"for example --set {name}=1")
        _check_value(name, value, known[name])
        parameters[parameter_of(name)] = value
    return parameters


def _check_name(name: str, known: Mapping[str, object]) -> None:
    if name in SECRETS:
        raise InvalidUsage(
            f"--set {name}: this is a secret, which everyone who sees the stack could read", SECRETS[name]
        )
    if name in FIXED:
        raise InvalidUsage(f"--set {name}: this cannot be set", FIXED[name])
    if name not in known:
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.5)
        raise InvalidUsage(
            f"--set {name}: there is no such setting",
            f"did you mean {near[0]}?" if near else f"the settings are {', '.join(known)}",
        )


def _check_value(name: str, value: str, definition: Mapping[str, Any]) -> None:
    allowed = definition.get("AllowedValues")
    if allowed is not None and value not in allowed:
        raise InvalidUsage(
            f"--set {name}={value}: this is not a value of the setting",
            f"choose one of {', '.join(filter(None, allowed))}",
        )
    pattern = definition.get("AllowedPattern", ".*")
    if not re.fullmatch(pattern, value):
        raise InvalidUsage(
            f"--set {name}={value}: this is not a value of the setting",
            f".env.example describes {name}; the value must match {pattern}",
        )


def parse_s3(address: str, option: str) -> tuple[str, str]:
    """The bucket and the prefix, which is empty or ends with a slash. Raises InvalidUsage."""
    match = _S3.fullmatch(address)
    if not match:
        raise InvalidUsage(
            f"{option} {address}: this is not a place in S3", f"for example {option} s3://my-bucket/models"
        )
    prefix = (match[2] or "").strip("/")
    return match[1], f"{prefix}/" if prefix else ""


def arns_of_callers_files(s3_allow: str, partition: str) -> dict[str, str]:
    """What the roles may reach for PAYGRADE_S3_ALLOW."""
    places = [parse_s3(each, "--set PAYGRADE_S3_ALLOW") for each in s3_allow.split(",") if each]
    buckets = sorted({f"arn:{partition}:s3:::{bucket}" for bucket, _ in places})
    objects = [f"arn:{partition}:s3:::{bucket}/{prefix}*" for bucket, prefix in places]
    return {"S3AllowBuckets": ",".join(buckets), "S3AllowObjects": ",".join(objects)}
