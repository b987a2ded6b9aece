"""Invalid input gives one line with the problem and one with the next step, and changes nothing."""

import pytest

from tests.integration.ecs.cloud import Cloud
from tests.integration.ecs.conftest import HTTPS

NOWHERE = "http://127.0.0.1:9"
AT_LISTENER = [
    "--listener",
    "arn:aws:elasticloadbalancing:eu-central-1:000000000000:listener/app/ours/1/2",
    "--domain",
    "pay.example.com",
]
WRONG = {
    "an unknown region": (["plan", "--region", "eu-centrall-1"], {}, "did you mean eu-central-1?"),
    "no region": (["plan"], {"AWS_REGION": ""}, "--region"),
    "no credentials": (["plan"], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "--profile"),
    "an unknown profile": (["plan", "--profile", "nobody"], {}, "available profiles: none"),
    "an unknown profile in the environment": (["ps"], {"AWS_PROFILE": "nobody"}, "available profiles: none"),
    "a name that is too long": (["up", "--stack", "a" * 21], {}, "32 characters"),
    "a name with capitals": (["up", "--stack", "Paygrade"], {}, "a-z"),
    "a name with double hyphens": (["up", "--stack", "a--b"], {}, "single hyphens"),
    "an empty name": (["up", "--stack", ""], {}, "2 to 20"),
    "a size that Fargate does not offer": (["up", "--worker-size", "1024/1024"], {}, "2048 to 8192"),
    "a size too small for a worker": (["up", "--worker-size", "256/512"], {}, "1024 MiB"),
    "a malformed size": (["up", "--web-size", "big"], {}, "1024/2048"),
    "a malformed network": (["plan", "--allow-cidr", "300.0.0.0/8"], {}, "203.0.113.0/24"),
    "hours without a zone": (["plan", "--warm", "Mon-Fri 08-18"], {}, "DAYS HOURS ZONE"),
    "a zone that does not exist": (["plan", "--warm", "Mon 08-18 Europe/Berlim"], {}, "Mon-Fri 08-18"),
    "more workers than the most": (["plan", "--least", "11"], {}, "--most 11"),
    "no worker at all": (["plan", "--most", "0"], {}, "from 1 to 5000"),
    "workers by hand": (["scale", "worker", "3"], {}, "--least 3 --most 3"),
    "a topic that is none": (["plan", "--alarm-topic", "pages"], {}, "arn:aws:sns"),
    "too many networks": (
        ["plan", "--allow-cidr", ",".join(f"203.0.113.{n}/32" for n in range(9))],
        {},
        "larger ones",
    ),
    "a malformed VPC": (["plan", "--vpc", "mine"], {}, "--vpc vpc-"),
    "a VPC without subnets": (["plan", "--vpc", "vpc-0123456789abcdef0"], {}, "--subnets ID,ID"),
    "one subnet": (
        ["plan", "--vpc", "vpc-0123456789abcdef0", "--subnets", "subnet-01234567"],
        {},
        "subnet-0fe",
    ),
    "private tasks in a VPC of our own": (["plan", "--tag", "v1", "--private"], {}, "leave out --private"),
    "a listener in a VPC of our own": (["plan", "--tag", "v1", *AT_LISTENER], {}, "pass --vpc"),
    "a listener without a domain": (
        ["plan", "--tag", "v1", *AT_LISTENER[:2]],
        {},
        "--domain pay.example.com",
    ),
    "a listener beside a load balancer": (["plan", "--front", "alb", *AT_LISTENER], {}, "one of them"),
    "a memory of Redis that no task has": (["up", "--redis-memory", "700"], {}, "a multiple of 512"),
    "a malformed retention": (["plan", "--retention", "3y"], {}, "--retention 10m"),
    "a retention that is too short": (["plan", "--retention", "5s"], {}, "--retention 10m"),
    "no web tasks": (["up", "--web-count", "0"], {}, "--web-count 2"),
    "a secret as a setting": (["up", "--set", "PAYGRADE_API_KEYS=x"], {}, "python -m ecs key"),
    "a setting that up makes": (["up", "--set", "PAYGRADE_BUNDLES=x"], {}, "--bundles s3://"),
    "an unknown setting": (["up", "--set", "PAYGRADE_MAX_BODI=9"], {}, "did you mean PAYGRADE_MAX_BODY?"),
    "a setting without a value": (["up", "--set", "PAYGRADE_MAX_BODY"], {}, "--set PAYGRADE_MAX_BODY=1"),
    "a value that a setting does not have": (["up", "--set", "PAYGRADE_LOG_LEVEL=LOUD"], {}, "DEBUG, INFO"),
    "bundles in no bucket": (["plan", "--bundles", "models"], {}, "--bundles s3://my-bucket/models"),
    "bundles in a bucket that is not there": (
        ["plan", "--tag", "v1", "--bundles", "s3://not-there/x"],
        {},
        "check the name of the bucket",
    ),
    "an unknown zone": (["plan", "--zones", "eu-central-1a,b"], {}, "choose two of"),
    "an invalid tag": (["update", "--tag", "a b"], {}, "letters"),
    "an empty tag": (["plan", "--tag", ""], {}, "letters"),
    "a certificate without a load balancer": (["up", "--front", "none", *HTTPS], {}, "--front alb"),
    "a certificate without a domain": (["up", *HTTPS[:2]], {}, "pass both"),
    "a domain without a certificate": (["plan", *HTTPS[2:]], {}, "pass both"),
    "a certificate in another region": (
        ["up", "--region", "eu-west-1", *HTTPS],
        {},
        "a certificate in eu-west-1",
    ),
    "a URL as a domain": (["up", "--domain", "https://example.com"], {}, "--domain pay.example.com"),
    "a malformed certificate": (["up", "--certificate", "mine"], {}, "arn:aws:acm"),
    "a malformed email address": (["up", "--alarm-email", "ada"], {}, "ada@example.com"),
    "a malformed project": (["up", "--gitlab", "project"], {}, "group/project"),
    "a malformed repository": (["up", "--github", "a/b/c"], {}, "owner/name"),
    "a repository with one id of two": (["up", "--github", "a@1/b"], {}, "owner@123/name@456"),
    "a retention that CloudWatch does not offer": (["up", "--log-days", "13"], {}, "7, 14, 30"),
    "an endpoint without a scheme": (["ps"], {"AWS_ENDPOINT_URL": "localhost:4566"}, "http://"),
    "a malformed age": (["logs", "--since", "3y"], {}, "10m"),
    "a negative number of tasks": (["scale", "web", "-1"], {}, "0 to 5000"),
    "too many tasks for a service": (["scale", "web", "5001"], {}, "0 to 5000"),
    "an invalid owner of a key": (["key", "add", "A b"], {}, "a-z"),
    "a key without an owner": (["key", "revoke"], {}, "python -m ecs key revoke alice-2"),
    "a malformed tag of resources": (["up", "--tags", "team"], {}, "--tags team=data"),
    "a malformed boundary": (["up", "--boundary", "mine"], {}, "arn:aws:iam::123456789012:policy"),
    "a malformed path": (["up", "--role-path", "teams"], {}, "/teams/data/"),
    "a name that ends like a stack": (["up", "--stack", "pay-app"], {}, "for example pay"),
    "a name that has the part of a stack": (["up", "--stack", "pay-app-x"], {}, "--stack"),
    "a budget that nobody hears of": (["plan", "--tag", "v1", "--budget", "100"], {}, "--alarm-email"),
    "a negative budget": (["plan", "--budget", "-5"], {}, "--budget 100"),
    "a topic of another region": (
        ["plan", "--tag", "v1", "--alarm-topic", "arn:aws:sns:eu-west-1:123456789012:pages"],
        {},
        "choose a topic in eu-central-1",
    ),
    "two projects": (["up", "--gitlab", "a/b", "--github", "a/b"], {}, "pass one of them"),
    "a branch of no project": (["up", "--ci-branch", "release"], {}, "--gitlab GROUP/PROJECT"),
    "an environment of GitLab": (
        ["up", "--gitlab", "a/b", "--ci-environment", "production"],
        {},
        "--ci-branch BRANCH",
    ),
    "an issuer without TLS": (["up", "--gitlab", "a/b", "--ci-issuer", "http://git"], {}, "https://gitlab"),
    "a key with a space": (["smoke"], {"PAYGRADE_API_KEY": "pg_abc def"}, "without what stands around it"),
    "a VPC that is not there": (
        [
            *("plan", "--tag", "v1", "--vpc", "vpc-0123456789abcdef0"),
            *("--subnets", "subnet-01234567,subnet-89abcdef"),
        ],
        {},
        "check the id and --region",
    ),
    "no key for the smoke test": (["smoke"], {}, "PAYGRADE_API_KEY"),
    "a malformed address for the smoke test": (
        ["smoke", "--url", "web"],
        {"PAYGRADE_API_KEY": "x"},
        "http://",
    ),
}
MISUSED = {
    "no command": [],
    "an update without a target": ["update"],
    "an update with two targets": ["update", "--tag", "v2", "--force"],
    "a second Redis": ["scale", "redis", "2"],
    "half a worker": ["scale", "worker", "0.5"],
}
NEEDS_A_DEPLOYMENT = (
    ["ps"],
    ["url"],
    ["logs"],
    ["rollback"],
    ["scale", "web", "2"],
    ["update", "--force", "--yes"],
    ["update", "--tag", "v1"],
    ["run", "--", "ls"],
    ["key", "add", "bob"],
    ["rotate", "--yes"],
    ["down", "--yes"],
)


@pytest.mark.parametrize("mistake", WRONG)
def test_invalid_input_gives_a_message_and_a_next_step(cloud: Cloud, mistake: str) -> None:
    arguments, environment, hint = WRONG[mistake]
    result = cloud.ecs(*arguments, **environment)
    assert result.status == 2
    assert hint in result.err
    message, next_step = result.err.splitlines()
    assert message.startswith("ecs: ")
    assert next_step.startswith("  next: ")


@pytest.mark.parametrize("mistake", MISUSED)
def test_a_misused_command_prints_its_usage(cloud: Cloud, mistake: str) -> None:
    result = cloud.ecs(*MISUSED[mistake])
    assert result.status == 2
    assert result.err.startswith("usage: python -m ecs")


def test_common_options_can_stand_before_the_command(cloud: Cloud) -> None:
    result = cloud.ecs("--stack", "before", "--region", "eu-west-1", "down", "--yes")
    assert "there is no deployment before in eu-west-1" in result.err
    assert "there is no cluster after" in cloud.ecs("--stack", "before", "ps", "--stack", "after").err


@pytest.mark.parametrize("arguments", NEEDS_A_DEPLOYMENT, ids=lambda arguments: arguments[0])
def test_a_missing_deployment_is_reported(cloud: Cloud, arguments: list[str]) -> None:
    result = cloud.ecs(*arguments[:1], "--stack", "nowhere", *arguments[1:])
    assert result.status == 2
    message, next_step = result.err.splitlines()
    assert "there is no" in message or "does not exist" in message
    assert "nowhere" in message
    assert next_step.startswith("  next: ")
    assert "--region" in next_step


def test_an_unreachable_aws_gives_exit_status_1(cloud: Cloud) -> None:
    result = cloud.ecs("ps", AWS_ENDPOINT_URL=NOWHERE)
    assert result.status == 1
    assert "cannot be reached" in result.err


@pytest.mark.parametrize("command", ["up", "down", "update"])
def test_without_a_terminal_a_change_needs_yes(cloud: Cloud, running: str, command: str) -> None:
    options = {"up": ["--most", "9"], "down": [], "update": ["--force"]}
    before = cloud.ecs("ps", "--json", "--stack", running).json
    result = cloud.ecs(command, "--stack", running, *options[command])
    assert result.status == 2
    assert "--yes" in result.err
    assert cloud.ecs("ps", "--json", "--stack", running).json == before


def test_no_self_check_runs_if_the_update_cannot_be_confirmed(cloud: Cloud, running: str) -> None:
    cloud.push(running, "v2")
    result = cloud.ecs("update", "--tag", "v2", "--stack", running)
    assert result.status == 2
    assert "--yes" in result.err
    assert "self-check" not in result.out


def test_no_service_switches_to_a_missing_image(cloud: Cloud, running: str) -> None:
    result = cloud.ecs("update", "--tag", "v9", "--yes", "--stack", running)
    assert result.status == 2
    assert f"{running}/worker:v9" in result.err
    assert "python -m ecs push --tag v9" in result.err
    assert "web:v1" in cloud.ecs("ps", "--stack", running).out


def test_the_first_images_have_no_earlier_ones_to_roll_back_to(cloud: Cloud, running: str) -> None:
    result = cloud.ecs("rollback", "--yes", "--stack", running)
    assert result.status == 2
    assert "no earlier images" in result.err
