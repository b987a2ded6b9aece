"""Checks that the container images exist in ECR."""

from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import InvalidUsage
from ecs.names import IMAGES, STORE, ResourceNames
from ecs.template import Template


def tags(tag: str) -> dict[str, str]:
    """The tag of each image, if worker and web have this one."""
    store = str(Template("app").parameters["RedisTag"]["Default"])
    return {**dict.fromkeys(IMAGES, tag), STORE: store}


def missing(ecr: Any, names: ResourceNames, tag: str) -> list[str]:
    """The images that do not exist, as repository:tag."""
    return [
        f"{names.repository(image)}:{own}"
        for image, own in tags(tag).items()
        if not _exists(ecr, names.repository(image), own)
    ]


def require(ecr: Any, names: ResourceNames, tag: str, tag_is_commit: bool = False) -> None:
    """Raises InvalidUsage for a missing image: ECS would retry it for a quarter of an hour."""
    if absent := missing(ecr, names, tag):
        push = "run python -m ecs push, which builds and pushes the images of this commit"
        if not tag_is_commit:
            push = f"if the tag is right, run python -m ecs push --tag {tag}, which builds and pushes them"
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
