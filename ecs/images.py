"""Checks that the container images exist in ECR."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import InvalidUsage
from ecs.names import IMAGES, STORE, ResourceNames
from ecs.template import Template

X86, ARM = "X86_64", "ARM64"
"""As ECS names architectures."""
OPTIONS = {X86: "x86_64", ARM: "arm64"}
PLATFORMS = {X86: "linux/amd64", ARM: "linux/arm64"}
SUFFIXES = {X86: "", ARM: "-arm64"}
"""Of tags, as in the app template."""


def tags(tag: str, architecture: str = X86) -> dict[str, str]:
    """The tag of each image, if ours have this one. Each architecture has images of its own."""
    store = str(Template("app").parameters["RedisTag"]["Default"])
    own = {**dict.fromkeys(IMAGES, tag), STORE: store}
    return {image: f"{each}{SUFFIXES[architecture]}" for image, each in own.items()}


def of_worker(parameters: Mapping[str, str], tag: str) -> str:
    """The image of the workers, as the app template has it for these parameters and this tag."""
    image = "predictions" if parameters.get("Queues") == "predictions" else "worker"
    own = tags(tag, parameters.get("Architecture", X86))[image]
    return f"{parameters[f'{image.title()}RepositoryUri']}:{own}"


def missing(ecr: Any, names: ResourceNames, tag: str, architecture: str = X86) -> list[str]:
    """The images that do not exist, as repository:tag."""
    return [
        f"{names.repository(image)}:{own}"
        for image, own in tags(tag, architecture).items()
        if not _exists(ecr, names.repository(image), own)
    ]


def require(ecr: Any, names: ResourceNames, tag: str, architecture: str, tag_is_commit: bool = False) -> None:
    """Raises InvalidUsage for a missing image: ECS would retry it for a quarter of an hour."""
    if absent := missing(ecr, names, tag, architecture):
        arch = f" --arch {OPTIONS[architecture]}" if architecture != X86 else ""
        push = f"run python -m ecs push{arch}, which builds and pushes the images of this commit"
        if not tag_is_commit:
            push = (
                f"if the tag is right, run python -m ecs push --tag {tag}{arch}, which builds and pushes them"
            )
        raise InvalidUsage(
            f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not in the registry",
            f"{push}; then run the same command again",
        )


def _exists(ecr: Any, repository: str, tag: str) -> bool:
    try:
        answer = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if code_of(error) in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return False
        raise
    return bool(answer["imageDetails"])
