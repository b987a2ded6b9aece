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


def of_worker(parameters: Mapping[str, str]) -> str:
    """Which image the workers have, as the app template that takes these parameters chooses it.

    A template without a repository for the image of predictions is older, and gives all workers the other.
    """
    is_known = "PredictionsRepositoryUri" in parameters
    return "predictions" if is_known and parameters.get("Queues") == "predictions" else "worker"


def uri_of_worker(parameters: Mapping[str, str], tag: str) -> str:
    image = of_worker(parameters)
    return f"{parameters[f'{image.title()}RepositoryUri']}:{of_tasks(parameters, tag)[image]}"


def of_tasks(parameters: Mapping[str, str], tag: str) -> dict[str, str]:
    """The tag of each image that the tasks of a deployment with these parameters run."""
    images = (of_worker(parameters), "web", STORE)
    of_all = tags(tag, parameters.get("Architecture", X86))
    return {image: of_all[image] for image in images}


def missing(ecr: Any, names: ResourceNames, wanted: Mapping[str, str]) -> list[str]:
    """Those of the images that do not exist, as repository:tag."""
    return [
        f"{names.repository(image)}:{own}"
        for image, own in wanted.items()
        if not details(ecr, names.repository(image), own)
    ]


def require(
    ecr: Any, names: ResourceNames, parameters: Mapping[str, str], tag: str, tag_is_commit: bool = False
) -> None:
    """Raises InvalidUsage if an image of the tasks is missing.

    ECS would look for it for a quarter of an hour.
    """
    if absent := missing(ecr, names, of_tasks(parameters, tag)):
        architecture = parameters.get("Architecture", X86)
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


def details(ecr: Any, repository: str, tag: str) -> list[dict[str, Any]]:
    """What ECR knows of the image; empty if it does not exist."""
    try:
        answer = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if code_of(error) in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return []
        raise
    found: list[dict[str, Any]] = answer["imageDetails"]
    return found
