"""The templates as CloudFormation's own linter sees them; it looks behind every condition."""

import hashlib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file

from ecs import keys
from ecs.errors import BadInput
from ecs.names import SERVICES, Names
from ecs.options import add_options, app_parameters, base_parameters
from ecs.template import TEMPLATES, Template
from tests.unit.ecs.conftest import StubClient
from tests.unit.ecs.templates import shipped
from web.keys import parse_keys


def options(*given: str) -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("--stack", default="paygrade")
    add_options(parser)
    return parser.parse_args(given)


@pytest.mark.parametrize("name", ["base", "app"])
def test_the_linter_finds_nothing(name: str) -> None:
    assert lint_file(TEMPLATES / f"{name}.yaml") == []


def test_the_linter_would_find_something(tmp_path: Path) -> None:
    body = Template("app").body
    (tmp_path / "app.yaml").write_text(body.replace("NetworkMode: awsvpc", "NetworkMode: awsvcp"))
    assert lint_file(tmp_path / "app.yaml")


def test_a_template_too_large_for_cloudformation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("#" * 51_201)
    with pytest.raises(BadInput, match="51200"):
        Template("app", tmp_path)


def test_the_command_line_calls_things_what_the_templates_call_them() -> None:
    names = Names("paygrade")
    base, app = shipped().base["Resources"], shipped().app["Resources"]

    def named(value: Any) -> str:
        return str(value["Fn::Sub"]).replace("${Name}", "paygrade")

    for service in SERVICES:
        assert named(base[f"{service.title()}Logs"]["Properties"]["LogGroupName"]) == names.log_group(service)
        assert app[f"{service.title()}Service"]["Properties"]["ServiceName"] == service
    for image in ("web", "worker"):
        repository = base[f"{image.title()}Repository"]["Properties"]["RepositoryName"]
        assert named(repository) == names.repository(image)
    assert app["Cluster"]["Properties"]["ClusterName"] == {"Ref": "Name"}
    bucket = named(base["Files"]["Properties"]["BucketName"])
    assert bucket.replace("${AWS::AccountId}", "1").replace("${AWS::Region}", "r") == names.bucket("1", "r")
    role = shipped().base["Resources"]["DeployRole"]["Properties"]["Policies"][1]
    assert f"{names.check_family}:" in str(role).replace("${Name}", "paygrade")


@pytest.mark.parametrize(
    "name", ["p", "Paygrade", "pay_grade", "1paygrade", "paygrade-", "internal-p", "p" * 21]
)
def test_a_name_that_some_resource_could_not_have_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        Names(name)


def test_the_longest_name_fits_everywhere() -> None:
    names = Names("p" * 20)
    assert len(names.bucket("1" * 12, "ap-southeast-1")) <= 63


def test_what_is_not_given_is_left_as_it_is() -> None:
    assert app_parameters(options()) == {"Name": "paygrade"}
    assert base_parameters(options()) == {"Name": "paygrade"}


CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1"


def test_options_are_parameters_of_the_templates() -> None:
    everything = options(
        *("--tag", "v1", "--alb", "--certificate", CERTIFICATE, "--domain", "example.com"),
        *("--allow-cidr", "203.0.113.0/24"),
        *("--redis", "elasticache", "--spot", "30", "--web-size", "512/1024", "--worker-size", "2048/4096"),
        *("--alarm-email", "ada@example.com", "--log-days", "7", "--gitlab", "group/project"),
        *("--github", "owner/name"),
    )
    app, base = app_parameters(everything), base_parameters(everything)
    assert set(app) <= set(Template("app").parameters)
    assert set(base) <= set(Template("base").parameters)
    assert (app["SpotWeight"], app["OnDemandWeight"]) == ("30", "70")
    assert (app["WorkerCpu"], app["WorkerMemory"]) == ("2048", "4096")


@pytest.mark.parametrize("repository", ["owner/name", "owner@1024025/name@724712"])
def test_a_repository_of_github_is_named_with_or_without_ids(repository: str) -> None:
    assert base_parameters(options("--github", repository))["GitHubRepository"] == repository


def test_the_key_that_is_made_opens_web(stub: StubClient) -> None:
    client, aws = stub("secretsmanager")
    aws.add_client_error("get_secret_value", "ResourceNotFoundException", "it has no value")
    written: list[str] = []
    client.meta.events.register(
        "provide-client-params.secretsmanager.PutSecretValue",
        lambda params, **_: written.append(params["SecretString"]),
    )
    aws.add_response("put_secret_value", {})
    key = keys.first_key(client, "arn")
    assert key
    assert hashlib.sha256(key.encode()).hexdigest() in written[0]
    assert parse_keys(written[0])
    assert key not in written[0]


def test_of_two_that_make_the_first_key_at_once_one_has_it(stub: StubClient) -> None:
    client, aws = stub("secretsmanager")
    aws.add_client_error("get_secret_value", "ResourceNotFoundException", "it has no value")
    aws.add_client_error("put_secret_value", "ResourceExistsException", "the version exists")
    assert keys.first_key(client, "arn") is None


def test_a_second_key_leaves_the_first(stub: StubClient) -> None:
    client, aws = stub("secretsmanager")
    held = f"first:{'0' * 64}:operate"
    for _ in range(2):
        aws.add_response("get_secret_value", {"SecretString": held})
    assert keys.first_key(client, "arn") is None
    aws.add_response("put_secret_value", {})
    keys.add_key(client, "arn", "alice")
