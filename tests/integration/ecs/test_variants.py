"""Deployments with every combination of options that matters are created, changed and removed."""

import pytest

from tests.integration.ecs.cloud import Cloud, CommandResult
from tests.integration.ecs.conftest import DOMAIN, HTTPS, up

VARIANTS = {
    "with HTTPS": HTTPS,
    "without a load balancer": ["--no-alb"],
    "with ElastiCache": ["--redis", "elasticache"],
    "smallest": ["--no-alb", "--redis", "elasticache", "--warm", "never"],
    "large, on demand, with alarms": [
        *("--worker-size", "4096/8192", "--web-size", "1024/2048", "--no-spot"),
        *("--alarm-email", "ada@example.com", "--allow-cidr", "203.0.113.0/24", "--log-days", "7"),
    ],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_deployment_is_created_and_removed(cloud: Cloud, stack: str, variant: str) -> None:
    up(cloud, stack, *VARIANTS[variant])
    services = services_of(cloud, stack)
    assert services["worker"]["runningCount"] == services["web"]["runningCount"] == 1
    assert ("redis" in services) == ("elasticache" not in VARIANTS[variant])
    assert bool(services["web"]["loadBalancers"]) == ("--no-alb" not in VARIANTS[variant])
    assert succeed(cloud, stack, "up", "--yes").out.count("nothing to change") == 2
    assert f"nothing of {stack} is left" in succeed(cloud, stack, "down", "--yes").out


def test_options_can_be_changed(cloud: Cloud, running: str) -> None:
    planned = succeed(cloud, running, "plan", "--worker-size", "2048/4096").out
    assert "WorkerTask" in planned
    assert "Cpu (by WorkerCpu)" in planned
    succeed(cloud, running, "up", "--worker-size", "2048/4096", "--yes")
    succeed(cloud, running, "up", "--most", "9", "--yes")
    # Options keep their values when they are not given again.
    definition = cloud.client("ecs").describe_task_definition(taskDefinition=f"{running}-worker")[
        "taskDefinition"
    ]
    assert (definition["cpu"], definition["memory"]) == ("2048", "4096")


def test_callers_use_the_domain_of_the_certificate(cloud: Cloud, running: str) -> None:
    """The domain must point to the load balancer's own name."""
    before = succeed(cloud, running, "url").out.strip()
    printed = succeed(cloud, running, "up", *HTTPS, "--yes").out
    assert f"curl -X POST https://{DOMAIN}/recms" in printed
    own = before.removeprefix("http://")
    assert f"DNS record must point to {own}" in printed
    assert succeed(cloud, running, "url").out.strip() == f"https://{DOMAIN}"
    assert succeed(cloud, running, "ps", "--json").json["domain_target"] == own
    # HTTPS is not removed as a side effect.
    refused = cloud.ecs("up", "--no-alb", "--yes", "--stack", running)
    assert refused.status == 2
    assert '--certificate "" --domain ""' in refused.err
    succeed(cloud, running, "up", "--certificate", "", "--domain", "", "--yes")
    assert succeed(cloud, running, "url").out.strip() == before
    assert "DNS" not in succeed(cloud, running, "ps").out


def test_a_deployment_stays_in_its_zones(cloud: Cloud, stack: str) -> None:
    up(cloud, stack, "--no-alb", "--zones", "eu-central-1b,eu-central-1c")
    succeed(cloud, stack, "up", "--most", "9", "--yes")
    cloud.push(stack, "v2")
    succeed(cloud, stack, "update", "--tag", "v2", "--no-check", "--yes")
    subnets = cloud.client("ec2").describe_subnets()["Subnets"]
    mine = {each["AvailabilityZone"] for each in subnets if f"{stack}-" in str(each.get("Tags"))}
    assert mine == {"eu-central-1b", "eu-central-1c"}


def test_the_load_balancer_can_be_removed_and_added(cloud: Cloud, running: str) -> None:
    succeed(cloud, running, "up", "--no-alb", "--yes")
    assert not services_of(cloud, running)["web"]["loadBalancers"]
    assert succeed(cloud, running, "up", "--alb", "--yes").out.count("http://")
    assert services_of(cloud, running)["web"]["loadBalancers"]


def test_tasks_restart_when_redis_moves(cloud: Cloud, running: str) -> None:
    """Tasks read the address of Redis at their start."""
    before = services_of(cloud, running)
    succeed(cloud, running, "up", "--redis", "elasticache", "--yes")
    after = services_of(cloud, running)
    for service in ("worker", "web"):
        assert after[service]["taskDefinition"] != before[service]["taskDefinition"]


def test_without_a_load_balancer_web_needs_a_task_with_an_address(cloud: Cloud, stack: str) -> None:
    """ministack's tasks have no network interfaces, so no address."""
    up(cloud, stack, "--no-alb")
    result = cloud.ecs("url", "--stack", stack)
    assert result.status == 2
    assert "no web task has a public address yet" in result.err


def test_an_existing_oidc_provider_is_used(cloud: Cloud, stack: str) -> None:
    """An account can have only one for each platform. ministack cannot create one in a stack."""
    provider = cloud.client("iam").create_open_id_connect_provider(
        Url="https://gitlab.com", ClientIDList=["https://gitlab.com"], ThumbprintList=["0" * 40]
    )
    up(cloud, stack, "--gitlab", "group/project")
    roles = [
        role for role in cloud.client("iam").list_roles()["Roles"] if f"{stack}-base" in role["RoleName"]
    ]
    [trust] = roles[0]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"]["Federated"] == provider["OpenIDConnectProviderArn"]
    assert (
        trust["Condition"]["StringEquals"]["gitlab.com:sub"]
        == "project_path:group/project:ref_type:branch:ref:main"
    )


def services_of(cloud: Cloud, stack: str) -> dict[str, dict[str, object]]:
    found = cloud.client("ecs").describe_services(cluster=stack, services=["redis", "worker", "web"])[
        "services"
    ]
    return {each["serviceName"]: each for each in found}


def succeed(cloud: Cloud, stack: str, *arguments: str) -> CommandResult:
    result = cloud.ecs(*arguments, "--stack", stack)
    assert result.status == 0, result.err
    return result
