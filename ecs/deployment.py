"""A deployment, and what it is called."""

import subprocess

from ecs.aws import Aws
from ecs.errors import BadInput
from ecs.names import Names


class Deployment:
    def __init__(self, aws: Aws, names: Names) -> None:
        self.aws = aws
        self.names = names


def commit_tag() -> str:
    """The tag of this commit's images."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise BadInput(
            "no --tag was given, and this is no git repository whose commit could be the tag"
        ) from None
    return done.stdout.strip()
