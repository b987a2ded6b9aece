"""Deployments with every combination of options that matters are created, changed and removed."""

from typing import Any

import pytest

from ecs import images
from ecs.template import Template
from tests.integration.ecs.cloud import REGION, Cloud, CommandResult
from tests.integration.ecs.conftest import DOMAIN, HTTPS, up
from tests.integration.ecs.test_tasks import api_spelling, read_unparsed

VARIANTS = {
    "with HTTPS": HTTPS,
    "without a load balancer": ["--front", "none"],
    "in production": ["--production"],
    "in production, with ElastiCache, behind an HTTP API": [
        *("--production", "--redis", "elasticache", "--front", "api")
    ],
    "behind an HTTP API": ["--front", "api"],
    "behind an HTTP API, with ElastiCache": ["--front", "api", "--redis", "elasticache"],
    "with ElastiCache": ["--redis", "elasticache"],
    "smallest": ["--front", "none", "--redis", "elasticache", "--warm", "never"],
    "large, on demand, with alarms": [
        *("--worker-size", "4096/8192", "--web-size", "1024/2048", "--no-spot"),
        *(
            "--alarm-email",
            "ada@example.com",
            "--allow-cidr",
            "203.0.113.0/24,2001:db8::/32",
            "--log-days",
            "7",
        ),
    ],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_deployment_is_created_and_removed(cloud: Cloud, stack: str, variant: str) -> None:
    up(cloud, stack, *VARIANTS[variant])
    services = services_of(cloud, stack)
    assert services["worker"]["runningCount"] == 1
    assert services["web"]["runningCount"] == (2 if "--production" in VARIANTS[variant] else 1)
    assert ("redis" in services) == ("elasticache" not in VARIANTS[variant])
    assert bool(services["web"]["loadBalancers"]) == ("--front" not in VARIANTS[variant])
    assert succeed(cloud, stack, "up", "--yes").out.count("nothing to change") == 2
    if "--production" in VARIANTS[variant]:
        refused = cloud.ecs("down", "--yes", "--stack", stack)
        assert "python -m ecs up --no-production first" in refused.err
        succeed(cloud, stack, "up", "--no-production", "--yes")
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


def test_sizes_settings_and_bundles_reach_the_tasks(cloud: Cloud, stack: str) -> None:
    bundles = with_bundles(cloud, stack)
    settings = ["PAYGRADE_MAX_BODY=65536", "PAYGRADE_DEFAULT_MODEL=wages", "PAYGRADE_CHILDREN=3"]
    chosen = [word for setting in settings for word in ("--set", setting)]
    sizes = ["--redis-memory", "2048", "--retention", "10m", "--web-count", "2"]
    up(cloud, stack, *sizes, *chosen, "--bundles", bundles)
    web, worker, redis = (container_of(cloud, stack, each) for each in ("web", "worker", "redis"))
    assert "--maxmemory 2048mb" in redis["command"][-1]
    for container in (web, worker):
        assert environment_of(container)["PAYGRADE_RETENTION_SECONDS"] == "600"
        assert environment_of(container)["PAYGRADE_BUNDLES"] == bundles
        assert environment_of(container)["PAYGRADE_DEFAULT_MODEL"] == "wages"
    assert environment_of(web)["PAYGRADE_MAX_BODY"] == "65536"
    assert environment_of(worker)["PAYGRADE_CHILDREN"] == "3"
    assert int(worker["linuxParameters"]["tmpfs"][0]["size"]) == 256
    assert services_of(cloud, stack)["web"]["runningCount"] == 2
    # Each keeps its value, until it is given again.
    succeed(cloud, stack, "up", "--set", "PAYGRADE_MAX_BODY=", "--bundles", "image", "--yes")
    web, worker = (container_of(cloud, stack, each) for each in ("web", "worker"))
    assert environment_of(web)["PAYGRADE_MAX_BODY"] == ""
    assert environment_of(web)["PAYGRADE_DEFAULT_MODEL"] == "wages"
    assert environment_of(worker)["PAYGRADE_BUNDLES"] == "model/bundles"
    assert int(worker["linuxParameters"]["tmpfs"][0]["size"]) == 64


def test_plan_says_what_the_sizes_cost_and_sustain(cloud: Cloud, stack: str) -> None:
    bundles = with_bundles(cloud, stack)
    large = ["--redis-memory", "4096", "--retention", "10m", "--web-size", "4096/8192"]
    said = succeed(cloud, stack, "plan", "--tag", "v1", *large, "--bundles", bundles).out
    assert f"{bundles}/: 1 bundle, 0.0 MiB; /tmp of a worker has 256 MiB" in said
    assert "predictions/s with one task of each service" in said
    assert "USD a month" in said
    assert "--redis elasticache is cheaper" in said
    assert "may lose the last seconds" in said
    managed = succeed(cloud, stack, "plan", "--tag", "v1", "--redis", "elasticache").out
    assert "ElastiCache keeps no append-only file" in managed


def test_bundles_that_a_worker_could_not_keep_are_refused(cloud: Cloud, stack: str) -> None:
    bundles = with_bundles(cloud, stack)
    cloud.client("s3").put_object(Bucket=stack, Key="models/wages/1/model.ubj", Body=bytes(600 * 2**20))
    refused = cloud.ecs("plan", "--tag", "v1", "--bundles", bundles, "--stack", stack)
    assert refused.status == 2
    assert "the bundles have 600 MiB, and /tmp of a worker has 256" in refused.err
    empty = cloud.ecs("plan", "--tag", "v1", "--bundles", f"s3://{stack}/elsewhere", "--stack", stack)
    assert f"python -m model publish --to s3://{stack}/elsewhere" in empty.err


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
    refused = cloud.ecs("up", "--front", "none", "--yes", "--stack", running)
    assert refused.status == 2
    assert '--certificate "" --domain ""' in refused.err
    succeed(cloud, running, "up", "--certificate", "", "--domain", "", "--yes")
    assert succeed(cloud, running, "url").out.strip() == before
    assert "DNS" not in succeed(cloud, running, "ps").out


def test_a_deployment_stays_in_its_zones(cloud: Cloud, stack: str) -> None:
    up(cloud, stack, "--front", "none", "--zones", "eu-central-1b,eu-central-1c")
    succeed(cloud, stack, "up", "--most", "9", "--yes")
    cloud.push(stack, "v2")
    succeed(cloud, stack, "update", "--tag", "v2", "--no-check", "--yes")
    subnets = cloud.client("ec2").describe_subnets()["Subnets"]
    mine = {each["AvailabilityZone"] for each in subnets if f"{stack}-" in str(each.get("Tags"))}
    assert mine == {"eu-central-1b", "eu-central-1c"}


def test_an_http_api_gives_https_without_a_domain(cloud: Cloud, stack: str) -> None:
    up(cloud, stack, "--front", "api")
    address = succeed(cloud, stack, "url").out.strip()
    assert "execute-api" in address
    said = succeed(cloud, stack, "plan", "--front", "api").out
    assert "takes no body over 10 MB" in said
    found = cloud.client("servicediscovery").list_services()["Services"]
    assert "web" in {each["Name"] for each in found}
    closed = cloud.ecs("up", "--allow-cidr", "203.0.113.0/24", "--yes", "--stack", stack)
    assert "pass --front alb" in closed.err
    succeed(cloud, stack, "up", "--front", "alb", "--yes")
    assert succeed(cloud, stack, "url").out.startswith("http://")


def test_the_load_balancer_can_be_removed_and_added(cloud: Cloud, running: str) -> None:
    succeed(cloud, running, "up", "--front", "none", "--yes")
    assert not services_of(cloud, running)["web"]["loadBalancers"]
    assert succeed(cloud, running, "up", "--front", "alb", "--yes").out.count("http://")
    assert services_of(cloud, running)["web"]["loadBalancers"]


def test_tasks_restart_when_redis_moves(cloud: Cloud, running: str) -> None:
    """Tasks read the address of Redis at their start."""
    before = services_of(cloud, running)
    refused = cloud.ecs("up", "--redis", "elasticache", "--yes", "--stack", running)
    assert refused.status == 2
    assert f"loses all jobs and records of {running} in region {REGION} of account" in refused.err
    assert services_of(cloud, running) == before
    succeed(cloud, running, "up", "--redis", "elasticache", "--lose-jobs", "--yes")
    after = services_of(cloud, running)
    for service in ("worker", "web"):
        assert after[service]["taskDefinition"] != before[service]["taskDefinition"]


def test_an_update_takes_a_newer_template_along_and_says_so(cloud: Cloud, running: str) -> None:
    """The stack gets the template of an older checkout first."""
    cloudformation = cloud.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName=f"{running}-app")["Stacks"][0]
    here = Template("app").body
    older = here.replace('"StopTimeout":120', '"StopTimeout":90')
    assert older != here
    parameters = [
        {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True} for each in stack["Parameters"]
    ]
    cloudformation.update_stack(
        StackName=f"{running}-app", TemplateBody=older, Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=f"{running}-app", WaiterConfig={"Delay": 1}
    )
    for tag in ("v2", "v3"):
        cloud.push(running, tag)
    kept = succeed(cloud, running, "update", "--tag", "v2", "--images-only", "--no-check", "--yes").out
    assert "another template" not in kept
    assert container_of(cloud, running, "worker")["stopTimeout"] == 90
    taken = succeed(cloud, running, "update", "--tag", "v3", "--no-check", "--yes").out
    assert f"{running}-app has another template; the update takes along the one that is here" in taken
    assert container_of(cloud, running, "worker")["stopTimeout"] == 120


def test_without_a_load_balancer_web_needs_a_task_with_an_address(cloud: Cloud, stack: str) -> None:
    """ministack's tasks have no network interfaces, so no address."""
    up(cloud, stack, "--front", "none")
    result = cloud.ecs("url", "--stack", stack)
    assert result.status == 2
    assert "no web task has a public address yet" in result.err


def test_an_existing_oidc_provider_is_used(cloud: Cloud, stack: str) -> None:
    """An account can have only one for each issuer."""
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


def test_other_processors_take_images_of_their_own(cloud: Cloud, running: str) -> None:
    refused = cloud.ecs("up", "--arch", "arm64", "--yes", "--stack", running)
    assert refused.status == 2
    message, next_step = refused.err.splitlines()
    assert f"{running}/web:v1-arm64" in message
    assert "python -m ecs push --tag v1 --arch arm64" in next_step
    cloud.push(running, "v1", images.ARM)
    succeed(cloud, running, "up", "--arch", "arm64", "--yes")
    for service in ("web", "worker"):
        assert str(container_of(cloud, running, service)["image"]).endswith(f"/{service}:v1-arm64")
    # An option that is not given keeps its value, also for the next images.
    absent = cloud.ecs("update", "--tag", "v2", "--yes", "--stack", running)
    assert f"{running}/worker:v2-arm64" in absent.err


def test_workers_of_predictions_alone_have_an_image_of_their_own(cloud: Cloud, running: str) -> None:
    succeed(cloud, running, "up", "--set", "PAYGRADE_QUEUES=predictions", "--yes")
    assert str(container_of(cloud, running, "worker")["image"]).endswith(f"{running}/predictions:v1")
    for service in ("web", "worker"):
        assert environment_of(container_of(cloud, running, service))["PAYGRADE_QUEUES"] == "predictions"
    evented = cloud.ecs("up", "--events", "--yes", "--stack", running)
    assert evented.status == 2
    assert "with PAYGRADE_QUEUES=predictions no worker scores them" in evented.err
    succeed(cloud, running, "up", "--set", "PAYGRADE_QUEUES=", "--yes")
    assert str(container_of(cloud, running, "worker")["image"]).endswith(f"{running}/worker:v1")


def test_only_the_images_that_tasks_run_have_to_exist(cloud: Cloud, running: str) -> None:
    """The tag v1 is of a version that had no image for predictions alone."""
    ecr = cloud.client("ecr")
    ecr.batch_delete_image(repositoryName=f"{running}/predictions", imageIds=[{"imageTag": "v1"}])
    absent = cloud.ecs("up", "--set", "PAYGRADE_QUEUES=predictions", "--yes", "--stack", running)
    assert absent.status == 2
    assert f"{running}/predictions:v1 is not in the registry" in absent.err
    cloud.push(running, "v2")
    succeed(cloud, running, "update", "--tag", "v2", "--no-check", "--yes")
    succeed(cloud, running, "rollback", "--to", "v1", "--yes")
    assert str(container_of(cloud, running, "worker")["image"]).endswith("/worker:v1")


def with_bundles(cloud: Cloud, bucket: str) -> str:
    """A place in S3 with one bundle."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in ("bundle.json", "model.ubj"):
        s3.put_object(Bucket=bucket, Key=f"models/salary/1/{name}", Body=b"{}")
    return f"s3://{bucket}/models"


def container_of(cloud: Cloud, stack: str, service: str) -> dict[str, Any]:
    """In the spelling of the API; ministack keeps the template's."""
    _, definition = read_unparsed(cloud.client("ecs"), f"{stack}-{service}")
    [container] = api_spelling(definition["containerDefinitions"])
    result: dict[str, Any] = container
    return result


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: str(each["value"]) for each in container["environment"]}


def services_of(cloud: Cloud, stack: str) -> dict[str, dict[str, object]]:
    found = cloud.client("ecs").describe_services(cluster=stack, services=["redis", "worker", "web"])[
        "services"
    ]
    return {each["serviceName"]: each for each in found}


def succeed(cloud: Cloud, stack: str, *arguments: str) -> CommandResult:
    result = cloud.ecs(*arguments, "--stack", stack)
    assert result.status == 0, result.err
    return result
