"""What is asked wrongly is one line that says so and one that says what to do; nothing is changed by it."""

import pytest

from tests.integration.ecs.cloud import Cloud

NOWHERE = "http://127.0.0.1:9"
WRONG = {
    "a region that is not there": (["plan", "--region", "eu-centrall-1"], {}, "did you mean eu-central-1?"),
    "no region": (["plan"], {"AWS_REGION": ""}, "--region"),
    "no credentials": (["plan"], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "--profile"),
    "a profile that is not there": (["plan", "--profile", "nobody"], {}, "nobody"),
    "a name that is too long": (["up", "--stack", "a" * 21], {}, "32 characters"),
    "a name with capitals": (["up", "--stack", "Paygrade"], {}, "a-z"),
    "a size Fargate has not": (["up", "--worker-size", "1024/1024"], {}, "2048 to 8192"),
    "a size that is none": (["up", "--web-size", "big"], {}, "1024/2048"),
    "a network that is none": (["plan", "--allow-cidr", "300.0.0.0/8"], {}, "203.0.113.0/24"),
    "a share over all": (["plan", "--spot", "101"], {}, "0 to 100"),
    "a tag that is none": (["update", "--tag", "a b"], {}, "letters"),
    "a certificate without a place": (["up", "--no-alb", "--certificate", "arn:x"], {}, "--no-alb"),
    "an age that is none": (["logs", "--since", "3y"], {}, "10m"),
    "fewer tasks than none": (["scale", "worker", "--", "-1"], {}, "-1"),
    "nothing to update to": (["update"], {}, "--tag"),
    "Redis twice": (["scale", "redis", "2"], {}, "redis"),
    "a key's name that is none": (["key", "A b"], {}, "a-z"),
    "no key to prove with": (["smoke"], {}, "PAYGRADE_KEY"),
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
    assert len([line for line in said.err.splitlines() if "ecs" in line]) <= 3


@pytest.mark.parametrize("arguments", NEEDS_A_DEPLOYMENT, ids=lambda arguments: arguments[0])
def test_what_is_not_there_is_said_to_be_not_there(cloud: Cloud, arguments: list[str]) -> None:
    said = cloud.ecs(*arguments[:1], "--stack", "nowhere", *arguments[1:])
    assert said.status == 2
    complaint, next_step = said.err.splitlines()
    assert "there is no" in complaint
    assert "nowhere" in complaint
    assert next_step.startswith("  next: ")


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


def test_an_image_that_is_not_there_is_not_switched_to(cloud: Cloud, running: str) -> None:
    said = cloud.ecs("update", "--tag", "v9", "--yes", "--stack", running)
    assert said.status == 2
    assert f"{running}/worker:v9" in said.err
    assert "python -m ecs push" in said.err
    assert "web:v1" in cloud.ecs("ps", "--stack", running).out


def test_nothing_ran_before_the_first(cloud: Cloud, running: str) -> None:
    said = cloud.ecs("rollback", "--yes", "--stack", running)
    assert said.status == 2
    assert "nothing ran before" in said.err
