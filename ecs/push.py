"""push: builds the images of this commit and pushes them to their repositories.

What is there already is left as it is: a tag, once pushed, stays what it was.
"""

import argparse
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ecs import images
from ecs import options as deployment_options
from ecs.aws import code_of
from ecs.deployment import Deployment, commit_tag
from ecs.docker import Docker
from ecs.errors import BadInput, NotThere
from ecs.names import IMAGES, Names
from ecs.screen import Screen

HELP = "build the images and push them under the commit's tag"
EXAMPLES = "  python -m ecs push\n  python -m ecs push --tag 1.4.0\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", help="instead of the commit's; then what is here need not be a commit")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    if not Path("Dockerfile").is_file():
        raise BadInput("there is no Dockerfile here", "run it at the root of the repository")
    tag = deployment_options.tag(options.tag) or clean_commit()
    names, ecr = deployment.names, deployment.aws.client("ecr")
    places = {image: f"{uri}:{tag}" for image, uri in repositories(ecr, names).items()}
    absent = images.missing(ecr, names, tag)
    wanted = [image for image in IMAGES if f"{names.repository(image)}:{tag}" in absent]
    if wanted:
        docker = Docker()
        for image in wanted:  # all are built before the first is pushed
            docker.build(image, places[image])
        docker.login(*credentials(ecr))
        for image in wanted:
            docker.push(image, places[image])
    for image, place in places.items():
        screen.say(f"{place}  {'pushed' if image in wanted else 'was there already'}")
    screen.result({"tag": tag, "pushed": [places[image] for image in wanted]})
    return 0


def clean_commit() -> str:
    """The tag of the commit. Raises BadInput if what is here is not what was committed."""
    tag = commit_tag()
    changed = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True)
    if changed.stdout:
        raise BadInput(
            f"what is here is not commit {tag}: {changed.stdout.splitlines()[0][3:]} was changed",
            "commit first, or give the images a tag of their own: --tag NAME",
        )
    return tag


def repositories(ecr: Any, names: Names) -> dict[str, str]:
    """The address of each image's repository."""
    wanted = {names.repository(image): image for image in IMAGES}
    try:
        found = ecr.describe_repositories(repositoryNames=list(wanted))["repositories"]
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            raise NotThere(
                f"{names.deployment} has no repositories yet", "python -m ecs up makes them"
            ) from None
        raise
    return {wanted[each["repositoryName"]]: each["repositoryUri"] for each in found}


def credentials(ecr: Any) -> tuple[str, str, str]:
    """Registry, user and password, good for twelve hours."""
    [given] = ecr.get_authorization_token()["authorizationData"]
    user, _, password = b64decode(given["authorizationToken"]).decode().partition(":")
    return given["proxyEndpoint"], user, password
