"""Whether the images that are to run are there."""

from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.errors import BadInput
from ecs.names import IMAGES, Names


def missing(ecr: Any, names: Names, tag: str) -> list[str]:
    """Those that are not in their repository under the tag, as repository:tag."""
    return [
        f"{names.repository(image)}:{tag}"
        for image in IMAGES
        if not _is_there(ecr, names.repository(image), tag)
    ]


def check(ecr: Any, names: Names, tag: str, of_commit: bool = False) -> None:
    """Raises BadInput for an image that is not there: AWS would try for a quarter of an hour."""
    if absent := missing(ecr, names, tag):
        push = "push builds and pushes the images of this commit"
        if not of_commit:
            push = f"push --tag {tag} builds and pushes them, if that is the tag you mean"
        raise BadInput(
            f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not in the registry",
            f"python -m ecs {push}; then the same again",
        )


def _is_there(ecr: Any, repository: str, tag: str) -> bool:
    try:
        found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if code_of(error) in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return False
        raise
    return bool(found["imageDetails"])
