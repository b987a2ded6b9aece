"""Events of a deployment: a stack of its own, which `up --events` makes and `up --no-events` removes."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import InvalidUsage
from ecs.stack import Stack
from ecs.stack_state import require_stable

FOLDERS = ("input", "output")
"""Of the bucket: files that become batches, and their results."""
APP_PARAMETERS = ("EventQueue", "EventDeadQueue", "EventBus", "EventTopic", "EventsPolicyArn")
"""Outputs of the stack that are parameters of the app."""
_SHARED = ("Name", "PermissionsBoundary", "RolePath")
_PLACEHOLDER = "known-after-events"


def exist(stack: Stack) -> bool:
    state = stack.state()
    return state is not None and not state.in_review


def parameters(base: Mapping[str, str], app: Mapping[str, str], bucket: str) -> dict[str, str]:
    """Those of the stack, the same as of the others. An option that is not given keeps its value."""
    given = {**app, **base}
    return {name: given[name] for name in _SHARED if name in given} | {"FilesBucket": bucket}


def check_served(app: Mapping[str, str]) -> None:
    """Raises InvalidUsage where files would become batches that no worker scores."""
    if app.get("EventQueue") and app.get("Queues") == "predictions":
        raise InvalidUsage(
            "with events, files become batches, and with PAYGRADE_QUEUES=predictions no worker scores them",
            "python -m ecs up --set PAYGRADE_QUEUES=predictions,batches has them scored; up --no-events ends "
            "the events",
        )


def outputs(stack: Stack) -> dict[str, str]:
    """Raises InvalidUsage if there is no such stack."""
    if not exist(stack):
        raise InvalidUsage(f"the stack {stack.name} does not exist", "python -m ecs up --events makes it")
    return require_stable(stack.state(), stack.name).outputs


def app_parameters(stack: Stack, on: bool) -> dict[str, str]:
    """What the app needs of the stack, with a placeholder for what does not exist yet."""
    if not on:
        return dict.fromkeys(APP_PARAMETERS, "")
    state = stack.state()
    known = state.outputs if state else {}
    return {name: known.get(name, _PLACEHOLDER) for name in APP_PARAMETERS}


def allowed(s3_allow: str, bucket: str, on: bool) -> str:
    """The folders that callers may name: those of S3Allow, and with events the folders of the bucket."""
    own = [f"s3://{bucket}/{folder}" for folder in FOLDERS]
    others = [each for each in s3_allow.split(",") if each and each not in own]
    return ",".join([*others, *(own if on else [])])


def notify(s3: Any, bucket: str, on: bool) -> None:
    """Whether S3 tells EventBridge of what happens in the bucket. The bucket may be older than the stack."""
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    before = {name: value for name, value in found.items() if name != "ResponseMetadata"}
    after = {name: value for name, value in before.items() if name != "EventBridgeConfiguration"}
    if on:
        after["EventBridgeConfiguration"] = {}
    if after != before:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=after)


def stop_notifying(s3: Any, bucket: str) -> None:
    """Also where the bucket is gone."""
    try:
        notify(s3, bucket, on=False)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise


def counts(stack: Stack, sqs: Any) -> dict[str, int]:
    """Messages that wait, and those that can never become a batch; empty without events."""
    if not exist(stack):
        return {}
    found = outputs(stack)
    urls = {"waiting": found["EventQueue"], "dead": found["EventDeadQueue"]}
    return {name: _waiting(sqs, url) for name, url in urls.items()}


def _waiting(sqs: Any, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
