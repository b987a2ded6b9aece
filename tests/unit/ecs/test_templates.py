"""The templates pass CloudFormation's linter under every condition, and match the names and options."""

import hashlib
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file

from ecs import api_keys
from ecs.api_keys import EntrySecret
from ecs.errors import InvalidUsage
from ecs.names import IMAGES, SERVICES, STORE, ResourceNames
from ecs.options import add_options, app_parameters, base_parameters
from ecs.template import TEMPLATES, Template
from tests.unit.ecs.conftest import StubClient
from tests.unit.ecs.templates import shipped
from web.keys import parse_keys


def options(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("--stack", default="paygrade")
    add_options(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("name", ["base", "events", "app"])
def test_the_linter_reports_nothing(name: str) -> None:
    assert lint_file(TEMPLATES / f"{name}.yaml") == []


def test_the_linter_reports_a_mistake(tmp_path: Path) -> None:
    text = (TEMPLATES / "app.yaml").read_text()
    (tmp_path / "app.yaml").write_text(text.replace("NetworkMode: awsvpc", "NetworkMode: awsvcp"))
    assert lint_file(tmp_path / "app.yaml")


@pytest.mark.parametrize("name", ["base", "events", "app"])
def test_what_is_sent_is_what_was_read(name: str, tmp_path: Path) -> None:
    """As JSON, in which the linter finds as little as in YAML."""
    sent = tmp_path / f"{name}.json"
    sent.write_text(Template(name).body)
    assert lint_file(sent) == []
    assert set(json.loads(Template(name).body)["Resources"]) == set(Template(name).parsed["Resources"])


def test_a_template_too_large_for_cloudformation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("Description: " + "a" * 51_201)
    with pytest.raises(InvalidUsage, match="51200"):
        Template("app", tmp_path)


def test_comments_stay_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(f"# {'x' * 51_200}\nParameters:\n\n  # why\n  Name: '#1'\n")
    assert Template("app", tmp_path).body == '{"Parameters":{"Name":"#1"}}'


def test_the_command_line_and_the_templates_use_the_same_names() -> None:
    names = ResourceNames("paygrade")
    base, app = shipped().base["Resources"], shipped().app["Resources"]

    def named(value: Any) -> str:
        return str(value["Fn::Sub"]).replace("${Name}", "paygrade")

    for service in SERVICES:
        assert named(base[f"{service.title()}Logs"]["Properties"]["LogGroupName"]) == names.log_group(service)
        assert app[f"{service.title()}Service"]["Properties"]["ServiceName"] == service
    for image in (*IMAGES, STORE):
        repository = base[f"{image.title()}Repository"]["Properties"]["RepositoryName"]
        assert named(repository) == names.repository(image)
    assert app["Cluster"]["Properties"]["ClusterName"] == {"Ref": "Name"}
    bucket = named(base["Files"]["Properties"]["BucketName"])
    assert bucket.replace("${AWS::AccountId}", "1").replace("${AWS::Region}", "r") == names.bucket("1", "r")
    role = shipped().base["Resources"]["DeployRole"]["Properties"]["Policies"][1]
    assert f"{names.check_family}:" in str(role).replace("${Name}", "paygrade")


@pytest.mark.parametrize(
    "name",
    [
        *("p", "Paygrade", "pay_grade", "1paygrade", "paygrade-", "internal-p", "p" * 21),
        *("pay-app", "pay-base", "pay-app-x", "pay-base-app"),
    ],
)
def test_a_name_that_is_invalid_for_some_resource_is_refused(name: str) -> None:
    with pytest.raises(InvalidUsage):
        ResourceNames(name)


def test_the_longest_name_is_valid_for_the_bucket() -> None:
    names = ResourceNames("p" * 20)
    assert len(names.bucket("1" * 12, "ap-southeast-1")) <= 63


def test_options_that_are_not_given_set_no_parameters() -> None:
    assert app_parameters(options()) == {"Name": "paygrade"}
    assert base_parameters(options()) == {"Name": "paygrade"}


ID = "0123456789abcdef0"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1"


EVERY_OPTION = (
    *("--tag", "v1", "--certificate", CERTIFICATE, "--domain", "example.com"),
    *("--allow-cidr", "203.0.113.0/24", "--internal", "--private", "--vpc", f"vpc-{ID}"),
    *("--subnets", f"subnet-{ID},subnet-{ID}", "--balancer-subnets", f"subnet-{ID},subnet-{ID}"),
    *("--arch", "arm64", "--redis", "elasticache", "--no-spot"),
    *("--web-size", "512/1024", "--worker-size", "2048/4096", "--web-count", "2"),
    *("--warm", "Mon-Fri 08-18 Europe/Berlin", "--least", "2", "--most", "4", "--within", "60"),
    *("--alarm-topic", "arn:aws:sns:eu-central-1:123456789012:pages"),
    *("--alarm-email", "ada@example.com", "--log-days", "7", "--budget", "99.5"),
    *("--tags", "team=data", "--role-path", "/a/b/"),
    *("--boundary", "arn:aws:iam::123456789012:policy/limit"),
    *("--production", "--front", "alb", "--ci-branch", "release", "--ci-environment", "production"),
    *("--github", "owner/name", "--redis-memory", "2048", "--retention", "10m"),
    *("--bundles", "s3://models/ours"),
    *("--set", "PAYGRADE_LOG_LEVEL=DEBUG", "--set", "PAYGRADE_MAX_BODY="),
)


def test_options_set_parameters_of_the_templates() -> None:
    everything = options(*EVERY_OPTION)
    assert set(app_parameters(everything)) <= set(Template("app").parameters)
    assert set(base_parameters(everything)) <= set(Template("base").parameters)


def test_options_say_how_much_of_what_runs() -> None:
    app = app_parameters(options(*EVERY_OPTION))
    assert (app["Spot"], app["Warm"], app["MostWorkers"]) == ("no", "Mon-Fri 08-18 Europe/Berlin", "4")
    assert app["Architecture"] == "ARM64"
    assert (app["WorkerCpu"], app["WorkerMemory"]) == ("2048", "4096")
    assert (app["RedisMaxMemory"], app["RedisMemory"]) == ("2048", "4096")


def test_options_reach_the_settings_of_the_service() -> None:
    app = app_parameters(options(*EVERY_OPTION))
    assert app["RetentionSeconds"] == "600"
    assert app["Bundles"] == "s3://models/ours"
    assert (app["BundlesBucket"], app["BundlesPrefix"]) == ("models", "ours/")
    assert (app["LogLevel"], app["MaxBody"]) == ("DEBUG", "")


def test_s3_deletes_files_long_after_their_records() -> None:
    days = {text: base_parameters(options("--retention", text))["FilesDays"] for text in ("10m", "7d", "8d")}
    assert days == {"10m": "31", "7d": "37", "8d": "38"}
    assert Template("base").parameters["FilesDays"]["Default"] == int(days["10m"])


def test_several_networks_of_both_kinds_may_call() -> None:
    set_by = base_parameters(options("--allow-cidr", "203.0.113.0/24,198.51.100.0/24,2001:db8::/32"))
    none = ["none"] * 8
    assert set_by["AllowCidrs"].split(",") == ["203.0.113.0/24", "198.51.100.0/24", *none[:6]]
    assert set_by["AllowCidrs6"].split(",") == ["2001:db8::/32", *none[:3]]
    only_ipv4 = base_parameters(options("--allow-cidr", "203.0.113.0/24"))
    assert only_ipv4["AllowCidrs6"].split(",") == none[:4]


def test_the_template_has_a_condition_for_each_network() -> None:
    resources, parameters = shipped().base["Resources"], shipped().base["Parameters"]
    for name, parameter, most in (("CallersList", "AllowCidrs", 8), ("CallersList6", "AllowCidrs6", 4)):
        entries = resources[name]["Properties"]["Entries"]
        assert len(entries) == len(parameters[parameter]["Default"].split(",")) == most
        assert resources[name]["Properties"]["MaxEntries"] == most
        for number, entry in enumerate(entries):
            condition, cidr, _ = entry["Fn::If"]
            chosen = {"Fn::Select": [str(number), {"Ref": parameter}]}
            assert as_text(cidr["Cidr"]) == as_text(chosen)
            [same] = shipped().base["Conditions"][condition]["Fn::Not"]
            assert as_text(same) == as_text({"Fn::Equals": [chosen, "none"]})


def as_text(value: object) -> str:
    """Numbers are text in templates that are read as YAML."""
    return str(value).replace("'", "")


@pytest.mark.parametrize("repository", ["owner/name", "owner@1024025/name@724712"])
def test_a_github_repository_is_accepted_with_and_without_ids(repository: str) -> None:
    subject = base_parameters(options("--github", repository))["CiSubject"]
    assert subject == f"repo:{repository}:ref:refs/heads/main"


def test_web_accepts_the_first_key(stub: StubClient) -> None:
    client, aws = stub("secretsmanager")
    aws.add_client_error("get_secret_value", "ResourceNotFoundException", "it has no value")
    written: list[str] = []
    client.meta.events.register(
        "provide-client-params.secretsmanager.PutSecretValue",
        lambda params, **_: written.append(params["SecretString"]),
    )
    aws.add_response("put_secret_value", {})
    key = api_keys.create_first_key(EntrySecret(client, "arn"))
    assert key
    assert hashlib.sha256(key.encode()).hexdigest() in written[0]
    assert parse_keys(written[0], "the secret")
    assert key not in written[0]


def test_only_one_of_two_concurrent_calls_creates_the_first_key(stub: StubClient) -> None:
    client, aws = stub("secretsmanager")
    aws.add_client_error("get_secret_value", "ResourceNotFoundException", "it has no value")
    aws.add_client_error("put_secret_value", "ResourceExistsException", "the version exists")
    assert api_keys.create_first_key(EntrySecret(client, "arn")) is None


def test_adding_a_key_keeps_the_first(stub: StubClient) -> None:
    client, aws = stub("secretsmanager")
    entry = f"first:{'0' * 64}:operate"
    for _ in range(2):
        aws.add_response("get_secret_value", {"SecretString": entry})
    assert api_keys.create_first_key(EntrySecret(client, "arn")) is None
    aws.add_response("put_secret_value", {})
    api_keys.add_key(EntrySecret(client, "arn"), "alice")
