"""Names of AWS resources. The templates derive the same names from the deployment's name."""

import re
from dataclasses import dataclass

from ecs.errors import InvalidUsage

SERVICES = ("redis", "worker", "web")
"""In start order. Each has a task definition, a log group and an image."""
ECS_SERVICES = ("redis", "worker", "worker-spot", "web")
"""Those of ECS: the tasks of the worker are in two, on demand and on Spot."""
IMAGES = ("worker", "predictions", "web")
"""Those that a commit tags. The workers have the image `predictions` where they serve predictions alone."""
STORE = "redis"
"""The image of Redis, whose tag the template names."""
_NAME = re.compile(r"(?!internal-)[a-z](-?[a-z0-9])+")
_MAX_LENGTH = 20
_OF_STACKS = re.compile(r"(.+?)-(app|base|events)(-|$)")
"""A deployment NAME-app, or NAME-app-x, would have roles that the deployment NAME takes for its own."""


@dataclass(frozen=True)
class ResourceNames:
    deployment: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.deployment) or len(self.deployment) > _MAX_LENGTH:
            raise InvalidUsage(
                f"--stack {self.deployment!r} is not a valid name: use 2 to {_MAX_LENGTH} characters from "
                "a-z, 0-9 and single hyphens, starting with a letter, not ending with a hyphen, and not "
                "starting with internal-",
                "choose another name; it starts the load balancer's name, which AWS limits to 32 characters",
            )
        if match := _OF_STACKS.match(self.deployment):
            raise InvalidUsage(
                f"--stack {self.deployment!r}: the name of a deployment must not have the part "
                f"-{match[2]}, with which the stacks of the deployment {match[1]!r} are named",
                "choose another name, for example " + self.deployment.replace(f"-{match[2]}", ""),
            )

    @property
    def base(self) -> str:
        return f"{self.deployment}-base"

    @property
    def app(self) -> str:
        return f"{self.deployment}-app"

    @property
    def events(self) -> str:
        return f"{self.deployment}-events"

    @property
    def cluster(self) -> str:
        return self.deployment

    @property
    def check_family(self) -> str:
        """The task definition family that runs the self-check of a new worker image."""
        return f"{self.deployment}-check"

    def repository(self, image: str) -> str:
        return f"{self.deployment}/{image}"

    def log_group(self, service: str) -> str:
        return f"/ecs/{self.deployment}/{service}"

    def bucket(self, account: str, region: str) -> str:
        return f"{self.deployment}-files-{account}-{region}"
