"""Who may send files to the bucket from a page."""

from typing import Any

import pytest

from ecs import permissions
from ecs.bucket import let_page_upload, takes_files
from ecs.template import ParameterizedTemplate
from tests.unit.ecs.conftest import StubClient
from tests.unit.ecs.templates import shipped


class OneClient:
    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, _: str) -> Any:
        return self._client


@pytest.mark.parametrize(
    ("app", "takes"),
    [
        ({"Front": "api"}, True),
        ({"Front": "alb"}, False),
        ({"Front": "alb", "DirectFiles": "true"}, True),
        ({"Front": "api", "DirectFiles": "false"}, False),
        ({"Front": "api", "DirectFiles": ""}, True),
    ],
)
def test_files_go_to_the_bucket_behind_an_http_api_or_where_it_was_asked_for(
    app: dict[str, str], takes: bool
) -> None:
    assert takes_files(app) is takes


def test_only_the_page_of_the_deployment_is_let_in(stub: StubClient) -> None:
    s3, prepared = stub("s3")
    rule = {
        "AllowedOrigins": ["https://abc.execute-api.eu-central-1.amazonaws.com"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["*"],
        "MaxAgeSeconds": 600,
    }
    expected = {"Bucket": "files", "CORSConfiguration": {"CORSRules": [rule]}}
    prepared.add_response("put_bucket_cors", {}, expected)
    aws: Any = OneClient(s3)
    let_page_upload(aws, "files", "https://abc.execute-api.eu-central-1.amazonaws.com", {"Front": "api"})
    let_page_upload(aws, "files", "http://balancer.example", {"Front": "alb"})


@pytest.mark.parametrize(("front", "asked"), [("api", True), ("alb", False)])
def test_the_right_to_let_it_in_is_asked_for_where_it_is_used(front: str, asked: bool) -> None:
    templates = shipped()
    app = ParameterizedTemplate(templates.app, {"Front": front})
    required = permissions.required_actions(ParameterizedTemplate(templates.base), app)
    assert ("s3:PutBucketCORS" in required) is asked
