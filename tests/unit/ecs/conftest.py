"""AWS clients with prepared responses; botocore validates requests and responses."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

StubClient = Callable[[str], tuple[Any, Stubber]]


@pytest.fixture
def stub() -> Iterator[StubClient]:
    """Makes a client and its stub; after the test, every prepared response must have been used."""
    with ExitStack() as stubs:

        def make(service: str) -> tuple[Any, Stubber]:
            client = boto3.client(
                service, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
            )
            stubber = Stubber(client)
            stubber.activate()
            stubs.callback(stubber.assert_no_pending_responses)
            return client, stubber

        yield make
