"""push: builds the images of this commit and pushes them to their repositories.

A tag that exists is not pushed again, since tags are immutable. The base image is pinned by the digest
that its registry gives.
"""

import argparse
import re
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from ecs import images
from ecs.aws import code_of
from ecs.deployment import Deployment, commit_tag
from ecs.docker import DigestUnknown, Docker
from ecs.errors import InvalidUsage, ResourceNotFound
from ecs.names import IMAGES, STORE, ResourceNames
from ecs.options.formats import check_tag
from ecs.options.sizes import add_arch_option
from ecs.screen import Screen

HELP = "build the images and push them under the commit's tag"
EXAMPLES = "  python -m ecs push\n  python -m ecs push --tag 1.4.0\n"
BASE_IMAGES = ("PYTHON_IMAGE", "VALKEY_IMAGE")
_BASE_IMAGE = re.compile(r"^ARG (\w+_IMAGE)=(\S+)$", re.MULTILINE)
_ABSENT = "RepositoryNotFoundException"
_DENIED = ("AccessDenied", "AccessDeniedException")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tag", help="tag of the images (default: the commit's); with it, uncommitted changes are allowed"
    )

    add_arch_option(parser)


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    sources = declare(options.tag)
    pushed = push_images(deployment, screen, sources, architecture_of(deployment, options.arch))
    screen.result({"tag": sources.tag, "pushed": pushed})
    return 0


class Sources(NamedTuple):
    tag: str
    bases: dict[str, str]
    """The images that the Dockerfile builds on, by the names of its arguments."""


def declare(tag: str | None) -> Sources:
    """What would be pushed. Raises InvalidUsage if it cannot be built, or has no tag of its own."""
    bases = declared_base_images(Path("Dockerfile"))
    return Sources(check_tag(tag) or clean_commit(), bases)


def architecture_of(deployment: Deployment, option: str | None) -> str:
    """The architecture that the option names, or else the one of the deployment."""
    current = deployment.app.parameters().get("Architecture", images.X86)
    return next((each for each, name in images.OPTIONS.items() if name == option), current)


def push_images(deployment: Deployment, screen: Screen, sources: Sources, architecture: str) -> list[str]:
    """Returns what was pushed: the images that the registry did not have."""
    tag, bases = sources
    names, ecr = deployment.names, deployment.aws.client("ecr")
    tags = images.tags(tag, architecture)
    targets = {image: f"{uri}:{tags[image]}" for image, uri in repositories(ecr, names).items()}
    missing = images.missing(ecr, names, tags)
    required = {
        image: targets[image] for image in tags if f"{names.repository(image)}:{tags[image]}" in missing
    }
    if required:
        docker = Docker(images.PLATFORMS[architecture])
        bases = {name: pin(docker, image, screen) for name, image in bases.items()}
        for image, target in required.items():  # build all before pushing the first
            docker.build(image, target, bases)
        docker.login(*credentials(ecr))
        for image, target in required.items():
            docker.push(image, target, bases)
    for image, target in targets.items():
        screen.print(f"{target}  {'pushed' if image in required else 'already in the registry'}")
    return list(required.values())


def declared_base_images(dockerfile: Path) -> dict[str, str]:
    """The defaults of the build arguments that name images."""
    if not dockerfile.is_file():
        raise InvalidUsage(
            "there is no Dockerfile in the current directory", "run the command at the root of the repository"
        )
    found = dict(_BASE_IMAGE.findall(dockerfile.read_text()))
    for name in BASE_IMAGES:
        if name not in found:
            raise InvalidUsage(
                f"Dockerfile: no line ARG {name}=IMAGE was found",
                "add the line; push pins the image that it names by digest",
            )
    return found


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
    """The URI of each image's repository. Raises ResourceNotFound if one is missing."""
    found: dict[str, str] = {}
    absent = []
    for image in (*IMAGES, STORE):
        name = names.repository(image)
        try:
            [described] = ecr.describe_repositories(repositoryNames=[name])["repositories"]
            found[image] = described["repositoryUri"]
        except ClientError as error:
            # The role of CI in an older base stack may see only the repositories of that stack.
            if code_of(error) != _ABSENT and not (found and code_of(error) in _DENIED):
                raise
            absent.append(name)
    if absent:
        raise ResourceNotFound(
            f"{names.deployment} has no image {'repository' if len(absent) == 1 else 'repositories'} "
            f"{', '.join(absent)} yet",
            "run python -m ecs up as an operator, which creates what is missing; then push again",
        )
    return found


def credentials(ecr: Any) -> tuple[str, str, str]:
    """Registry, user and password, valid for twelve hours."""
    [authorization] = ecr.get_authorization_token()["authorizationData"]
    user, _, password = b64decode(authorization["authorizationToken"]).decode().partition(":")
    return authorization["proxyEndpoint"], user, password
