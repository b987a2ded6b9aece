"""One ministack for each test file, and a deployment of its own for each test."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.integration.ecs.cloud import Cloud

DOMAIN = "pay.example.com"
HTTPS = ["--certificate", "arn:aws:acm:eu-central-1:000000000000:certificate/1", "--domain", DOMAIN]
_numbers = count()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture
def stack() -> str:
    """A unique name for a deployment."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def running(cloud: Cloud, stack: str) -> str:
    """A deployment that runs the images v1."""
    up(cloud, stack)
    return stack


def up(cloud: Cloud, stack: str, *options: str) -> None:
    first = cloud.ecs("up", "--stack", stack, "--tag", "v1", "--yes", *options)
    assert "not in the registry" in first.err
    cloud.push(stack, "v1")
    second = cloud.ecs("up", "--stack", stack, "--tag", "v1", "--yes", *options)
    assert second.status == 0, second.err
