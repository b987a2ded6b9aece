"""What is asked wrongly is one line that says so and one that says what to do; nothing is changed by it."""

import pytest

from tests.integration.ecs.cloud import Cloud
from tests.integration.ecs.conftest import HTTPS

NOWHERE = "http://127.0.0.1:9"
WRONG = {
    "a region that is not there": (["plan", "--region", "eu-centrall-1"], {}, "did you mean eu-central-1?"),
    "no region": (["plan"], {"AWS_REGION": ""}, "--region"),
    "no credentials": (["plan"], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "--profile"),
    "a profile that is not there": (["plan", "--profile", "nobody"], {}, "profiles that are there: none"),
    "the same from the environment": (["ps"], {"AWS_PROFILE": "nobody"}, "profiles that are there: none"),
    "a name that is too long": (["up", "--stack", "a" * 21], {}, "32 characters"),
    "a name with capitals": (["up", "--stack", "Paygrade"], {}, "a-z"),
    "a name no repository takes": (["up", "--stack", "a--b"], {}, "single hyphens"),
    "no name": (["up", "--stack", ""], {}, "2 to 20"),
    "a size Fargate has not": (["up", "--worker-size", "1024/1024"], {}, "2048 to 8192"),
    "a size too small for a worker": (["up", "--worker-size", "256/512"], {}, "1024 MiB"),
    "a size that is none": (["up", "--web-size", "big"], {}, "1024/2048"),
    "a network that is none": (["plan", "--allow-cidr", "300.0.0.0/8"], {}, "203.0.113.0/24"),
    "a share over all": (["plan", "--spot", "101"], {}, "0 to 100"),
    "a zone that is not there": (["plan", "--zones", "eu-central-1a,b"], {}, "not two of"),
    "a tag that is none": (["update", "--tag", "a b"], {}, "letters"),
    "a tag that is empty": (["plan", "--tag", ""], {}, "letters"),
    "a certificate without a place": (["up", "--no-alb", *HTTPS], {}, "--alb"),
    "a certificate without a name": (["up", *HTTPS[:2]], {}, "pass both"),
    "a name without a certificate": (["plan", *HTTPS[2:]], {}, "pass both"),
    "a certificate of elsewhere": (["up", "--region", "eu-west-1", *HTTPS], {}, "one in eu-west-1"),
    "an address as a name": (["up", "--domain", "https://example.com"], {}, "cannot be https:"),
    "a certificate that is none": (["up", "--certificate", "mine"], {}, "arn:aws:acm"),
    "an address that is none": (["up", "--alarm-email", "ada"], {}, "ada@example.com"),
    "a project that is none": (["up", "--gitlab", "project"], {}, "group/project"),
    "a repository that is none": (["up", "--github", "a/b/c"], {}, "owner/name"),
    "a repository with half its ids": (["up", "--github", "a@1/b"], {}, "owner@123/name@456"),
    "days that logs are not kept": (["up", "--log-days", "13"], {}, "7, 14, 30"),
    "an endpoint without a scheme": (["ps"], {"AWS_ENDPOINT_URL": "localhost:4566"}, "http://"),
    "an age that is none": (["logs", "--since", "3y"], {}, "10m"),
    "fewer tasks than none": (["scale", "worker", "-1"], {}, "0 to 5000"),
    "more tasks than a service has": (["scale", "worker", "5001"], {}, "0 to 5000"),
    "a key's name that is none": (["key", "A b"], {}, "a-z"),
    "no key to prove with": (["smoke"], {}, "PAYGRADE_KEY"),
    "no address to prove at": (["smoke", "--url", "web"], {"PAYGRADE_KEY": "x"}, "http://"),
}
MISUSED = {
    "no command": [],
    "nothing to update to": ["update"],
    "two ways to update": ["update", "--tag", "v2", "--force"],
    "Redis twice": ["scale", "redis", "2"],
    "half a worker": ["scale", "worker", "0.5"],
}
NEEDS_A_DEPLOYMENT = (
    ["ps"],
    ["url"],
    ["logs"],
    ["rollback"],
    ["scale", "worker", "2"],
    ["update", "--force", "--yes"],
    ["update", "--tag", "v1"],
    ["run", "--", "ls"],
    ["key", "bob"],
    ["down", "--yes"],
)


@pytest.mark.parametrize("mistake", WRONG)
def test_it_is_said_in_a_line(cloud: Cloud, mistake: str) -> None:
    arguments, environment, hint = WRONG[mistake]
    said = cloud.ecs(*arguments, **environment)
    assert said.status == 2
    assert hint in said.err
    complaint, next_step = said.err.splitlines()
    assert complaint.startswith("ecs: ")
    assert next_step.startswith("  next: ")


@pytest.mark.parametrize("mistake", MISUSED)
def test_how_a_command_is_used_is_shown(cloud: Cloud, mistake: str) -> None:
    said = cloud.ecs(*MISUSED[mistake])
    assert said.status == 2
    assert said.err.startswith("usage: python -m ecs")


def test_an_option_for_every_command_may_stand_before_it(cloud: Cloud) -> None:
    said = cloud.ecs("--stack", "before", "--region", "eu-west-1", "down", "--yes")
    assert "there is no deployment before in eu-west-1" in said.err
    assert "there is no cluster after" in cloud.ecs("--stack", "before", "ps", "--stack", "after").err


@pytest.mark.parametrize("arguments", NEEDS_A_DEPLOYMENT, ids=lambda arguments: arguments[0])
def test_what_is_not_there_is_said_to_be_not_there(cloud: Cloud, arguments: list[str]) -> None:
    said = cloud.ecs(*arguments[:1], "--stack", "nowhere", *arguments[1:])
    assert said.status == 2
    complaint, next_step = said.err.splitlines()
    assert "there is no" in complaint
    assert "nowhere" in complaint
    assert next_step.startswith("  next: ")
    assert "--region" in next_step


def test_aws_out_of_reach_is_not_our_mistake(cloud: Cloud) -> None:
    said = cloud.ecs("ps", AWS_ENDPOINT_URL=NOWHERE)
    assert said.status == 1
    assert "cannot be reached" in said.err


@pytest.mark.parametrize("verb", ["up", "down", "update"])
def test_without_a_terminal_and_without_yes_nothing_is_done(cloud: Cloud, running: str, verb: str) -> None:
    options = {"up": ["--spot", "10"], "down": [], "update": ["--force"]}
    before = cloud.ecs("ps", "--json", "--stack", running).json
    said = cloud.ecs(verb, "--stack", running, *options[verb])
    assert said.status == 2
    assert "--yes" in said.err
    assert cloud.ecs("ps", "--json", "--stack", running).json == before


def test_without_anybody_to_ask_no_image_is_tried_first(cloud: Cloud, running: str) -> None:
    cloud.push(running, "v2")
    said = cloud.ecs("update", "--tag", "v2", "--stack", running)
    assert said.status == 2
    assert "--yes" in said.err
    assert "trying" not in said.out


def test_an_image_that_is_not_there_is_not_switched_to(cloud: Cloud, running: str) -> None:
    said = cloud.ecs("update", "--tag", "v9", "--yes", "--stack", running)
    assert said.status == 2
    assert f"{running}/worker:v9" in said.err
    assert "python -m ecs push --tag v9" in said.err
    assert "web:v1" in cloud.ecs("ps", "--stack", running).out


def test_nothing_ran_before_the_first(cloud: Cloud, running: str) -> None:
    said = cloud.ecs("rollback", "--yes", "--stack", running)
    assert said.status == 2
    assert "nothing ran before" in said.err
