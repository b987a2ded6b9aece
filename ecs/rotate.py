"""rotate: gives Redis another password, and restarts what uses it. No job is lost."""

import argparse
import re
import secrets
import string
from typing import Any

from ecs.deployment import Deployment
from ecs.errors import EcsError
from ecs.screen import Screen
from ecs.stack_state import require_stable
from ecs.template import Template

HELP = "give Redis another password"
EXAMPLES = "  python -m ecs rotate --yes\n"
POLL_SECONDS = 5.0
_LENGTH = 48
_PASSWORD_IN_URL = re.compile(r"(?<=://:).+(?=@)")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Takes no options."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    state = require_stable(deployment.app.state(), deployment.names.app)
    own = state.parameters.get("Redis", "ecs") == "ecs"
    while_it_restarts = (
        "web answers 503 for a minute or two while Redis restarts" if own else "no request fails"
    )
    screen.confirm(f"Give Redis another password? {while_it_restarts} [y/N]", "nothing was changed")
    # Letters and digits, since the password becomes part of a URL.
    password = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_LENGTH))
    if own:
        _write(deployment, password)
        _restart(deployment, screen, "redis", "worker", "web")
    else:
        # Nodes accept the old and the new password until the new one alone is set.
        _set_in_elasticache(deployment, screen, password, "ROTATE")
        _write(deployment, password)
        _restart(deployment, screen, "worker", "web")
        _set_in_elasticache(deployment, screen, password, "SET")
    screen.print("Redis has another password; the old one is refused")
    screen.result({"rotated": "password of Redis"})
    return 0


def _write(deployment: Deployment, password: str) -> None:
    """Into both secrets: that of the password, and that of the address, which contains it."""
    client = deployment.aws.client("secretsmanager")
    client.put_secret_value(
        SecretId=deployment.base_outputs(Template("app"))["RedisPasswordArn"], SecretString=password
    )
    address = deployment.resource("RedisUrl")
    url = str(client.get_secret_value(SecretId=address)["SecretString"])
    client.put_secret_value(SecretId=address, SecretString=_PASSWORD_IN_URL.sub(password, url))


def _restart(deployment: Deployment, screen: Screen, *services: str) -> None:
    for name in services:
        deployment.services.restart(name)
        deployment.services.wait_until_stable(name, lambda service: screen.print(service.summary))


def _set_in_elasticache(deployment: Deployment, screen: Screen, password: str, strategy: str) -> None:
    client: Any = deployment.aws.client("elasticache")
    group = deployment.names.deployment
    client.modify_replication_group(
        ReplicationGroupId=group,
        AuthToken=password,
        AuthTokenUpdateStrategy=strategy,
        ApplyImmediately=True,
    )
    screen.print(f"ElastiCache: {strategy.lower()}")
    while (status := _status(client, group)) != "available":
        if status.endswith("failed"):
            raise EcsError(f"ElastiCache is {status}", "python -m ecs rotate again, or look at its events")
        deployment.wait(POLL_SECONDS)


def _status(client: Any, group: str) -> str:
    [found] = client.describe_replication_groups(ReplicationGroupId=group)["ReplicationGroups"]
    return str(found["Status"])
