"""push: builds the images of this commit and pushes them to their repositories.

A tag that exists is not pushed again, since tags are immutable. The base image is pinned by the digest
that its registry gives.
"""

import argparse
import re
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ecs import images
from ecs.aws import code_of
from ecs.deployment import Deployment, commit_tag
from ecs.docker import DigestUnknown, Docker
from ecs.errors import InvalidUsage, ResourceNotFound
from ecs.names import IMAGES, ResourceNames
from ecs.options import check_tag
from ecs.screen import Screen

HELP = "build the images and push them under the commit's tag"
EXAMPLES = "  python -m ecs push\n  python -m ecs push --tag 1.4.0\n"
_BASE_IMAGE = re.compile(r"^ARG PYTHON_IMAGE=(\S+)$", re.MULTILINE)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tag", help="tag of the images (default: the commit's); with it, uncommitted changes are allowed"
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    base_image = declared_base_image(Path("Dockerfile"))
    tag = check_tag(options.tag) or clean_commit()
    names, ecr = deployment.names, deployment.aws.client("ecr")
    targets = {image: f"{uri}:{tag}" for image, uri in repositories(ecr, names).items()}
    missing = images.missing(ecr, names, tag)
    required = {image: targets[image] for image in IMAGES if f"{names.repository(image)}:{tag}" in missing}
    if required:
        docker = Docker()
        base_image = pin(docker, base_image, screen)
        for image, target in required.items():  # build all before pushing the first
            docker.build(image, target, base_image)
        docker.login(*credentials(ecr))
        for image, target in required.items():
            docker.push(image, target, base_image)
    for image, target in targets.items():
        screen.print(f"{target}  {'pushed' if image in required else 'already in the registry'}")
    screen.result({"tag": tag, "pushed": list(required.values())})
    return 0


def declared_base_image(dockerfile: Path) -> str:
    """The default of the build argument PYTHON_IMAGE."""
    if not dockerfile.is_file():
        raise InvalidUsage(
            "there is no Dockerfile in the current directory", "run the command at the root of the repository"
        )
    match = _BASE_IMAGE.search(dockerfile.read_text())
    if not match:
        raise InvalidUsage(
            "Dockerfile: no line ARG PYTHON_IMAGE=IMAGE was found",
            "add the line; push pins the image that it names by digest",
        )
    return match[1]


def pin(docker: Docker, image: str, screen: Screen) -> str:
    """Adds the digest from the registry; without one, says so and returns the image as it is."""
    if "@" in image:
        screen.print(f"base image {image}")
        return image
    try:
        pinned = f"{image}@{docker.digest(image)}"
    except DigestUnknown as error:
        screen.print(f"base image {image}, not pinned: its registry gives no digest ({error})")
        return image
    screen.print(f"base image {pinned}")
    return pinned


def clean_commit() -> str:
    """The tag of the commit. Raises InvalidUsage if there are uncommitted changes."""
    tag = commit_tag()
    changed = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True)
    if changed.stdout:
        raise InvalidUsage(
            f"the working tree differs from commit {tag}: {changed.stdout.splitlines()[0][3:]} was changed",
            "commit the changes, or choose a tag for the images: --tag NAME",
        )
    return tag


def repositories(ecr: Any, names: ResourceNames) -> dict[str, str]:
    """The URI of each image's repository."""
    required = {names.repository(image): image for image in IMAGES}
    try:
        found = ecr.describe_repositories(repositoryNames=list(required))["repositories"]
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            raise ResourceNotFound(
                f"{names.deployment} has no image repositories yet", "python -m ecs up creates them"
            ) from None
        raise
    return {required[each["repositoryName"]]: each["repositoryUri"] for each in found}


def credentials(ecr: Any) -> tuple[str, str, str]:
    """Registry, user and password, valid for twelve hours."""
    [authorization] = ecr.get_authorization_token()["authorizationData"]
    user, _, password = b64decode(authorization["authorizationToken"]).decode().partition(":")
    return authorization["proxyEndpoint"], user, password
