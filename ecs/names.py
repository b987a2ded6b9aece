"""What everything is called. The templates derive the same names from the deployment's."""

import re
from dataclasses import dataclass

from ecs.errors import BadInput

SERVICES = ("redis", "worker", "web")
"""In the order in which they start."""
IMAGES = ("worker", "web")
_NAME = re.compile(r"(?!internal-)[a-z](-?[a-z0-9])+")
_LONGEST = 20


@dataclass(frozen=True)
class Names:
    deployment: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.deployment) or len(self.deployment) > _LONGEST:
            raise BadInput(
                f"--stack {self.deployment!r} cannot be a name: 2 to {_LONGEST} of a-z, 0-9 and "
                "single hyphens; a letter first, no hyphen last, not internal-…",
                "a load balancer's name has 32 characters at most, and this is its beginning",
            )

    @property
    def base(self) -> str:
        return f"{self.deployment}-base"

    @property
    def app(self) -> str:
        return f"{self.deployment}-app"

    @property
    def cluster(self) -> str:
        return self.deployment

    @property
    def check_family(self) -> str:
        """Of the task definition by which a worker's image is tried before it is switched to."""
        return f"{self.deployment}-check"

    def repository(self, image: str) -> str:
        return f"{self.deployment}/{image}"

    def log_group(self, service: str) -> str:
        return f"/ecs/{self.deployment}/{service}"

    def bucket(self, account: str, region: str) -> str:
        return f"{self.deployment}-files-{account}-{region}"
