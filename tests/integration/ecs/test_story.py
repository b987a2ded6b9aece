"""From an empty account to a running deployment and back to an empty account."""

from dataclasses import dataclass

from tests.integration.ecs.cloud import Cloud


@dataclass(frozen=True)
class Shell:
    """Runs commands on one deployment; each must succeed."""

    cloud: Cloud
    stack: str

    def ecs(self, *arguments: str) -> str:
        result = self.cloud.ecs(*arguments, "--stack", self.stack)
        assert result.status == 0, result.err
        return result.out

    def push(self, tag: str) -> None:
        self.cloud.push(self.stack, tag)


def test_a_deployment_is_created_changed_and_removed_without_leftovers(cloud: Cloud, stack: str) -> None:
    shell = Shell(cloud, stack)
    plan_leaves_no_trace(shell)
    up_requires_the_images(shell)
    address = up_creates_the_deployment(shell)
    update_switches_the_images(shell)
    assert shell.ecs("url").strip() == address
    rollback_goes_back_only_to_what_is_named(shell)
    update_keeps_the_scale(shell)
    assert f"nothing of {stack} is left" in shell.ecs("down", "--yes")
    assert leftovers(cloud, stack) == []


def plan_leaves_no_trace(shell: Shell) -> None:
    assert "add  WebService" in shell.ecs("plan", "--tag", "v1")
    cloudformation = shell.cloud.client("cloudformation")
    assert not cloudformation.list_stacks(StackStatusFilter=["REVIEW_IN_PROGRESS"])["StackSummaries"]


def up_requires_the_images(shell: Shell) -> None:
    early = shell.cloud.ecs("up", "--tag", "v1", "--yes", "--stack", shell.stack)
    assert early.status == 2
    for image in ("worker:v1", "web:v1", "redis:"):
        assert f"{shell.stack}/{image}" in early.err
    assert f"{shell.stack}/predictions" not in early.err, "no task would run it"
    assert "are not in the registry" in early.err
    assert "python -m ecs push" in early.err
    shell.push("v1")


def up_creates_the_deployment(shell: Shell) -> str:
    """Returns the address."""
    printed = shell.ecs("up", "--tag", "v1", "--yes")
    [curl] = [line.strip() for line in printed.splitlines() if line.strip().startswith("curl")]
    address = shell.ecs("url").strip()
    assert curl.startswith(f"curl -X POST {address}/recms -H 'X-API-Key: ")
    assert printed.index("RedisService") < printed.index("CREATE_COMPLETE              WorkerService")
    assert printed.rindex("WorkerService") < printed.rindex("WebService")
    assert shell.ecs("up", "--yes").count("nothing to change") == 2
    shown = shell.ecs("ps")
    assert f"{shell.stack}-worker:1" in shown
    assert "web:v1" in shown
    return address


def update_switches_the_images(shell: Shell) -> None:
    shell.push("v2")
    updated = shell.ecs("update", "--tag", "v2", "--no-check", "--yes")
    assert "WorkerTask" in updated
    assert "ImageTag" in updated
    assert "web:v2" in shell.ecs("ps")
    assert "v2 already runs" in shell.ecs("update", "--tag", "v2", "--yes")


def rollback_goes_back_only_to_what_is_named(shell: Shell) -> None:
    unnamed = shell.cloud.ecs("rollback", "--yes", "--stack", shell.stack)
    assert unnamed.status == 2
    assert "v2   runs now" in unnamed.out
    assert "python -m ecs rollback --to v1" in unnamed.err
    shell.ecs("rollback", "--to", "v1", "--yes")
    assert "web:v1" in shell.ecs("ps")
    unknown = shell.cloud.ecs("rollback", "--to", "v9", "--yes", "--stack", shell.stack)
    assert "v9 did not run before" in unknown.err
    assert "web:v1" in shell.ecs("ps")
    shell.ecs("rollback", "--to", "v2", "--yes")
    assert "worker:v2" in shell.ecs("ps")


def update_keeps_the_scale(shell: Shell) -> None:
    assert "web: 3 of 3 running" in shell.ecs("scale", "web", "3")
    shell.push("v3")
    shell.ecs("update", "--tag", "v3", "--no-check", "--yes")
    assert shell.ecs("ps").count("web:v3") == 3


def leftovers(cloud: Cloud, stack: str) -> list[str]:
    """The names of resources in the account that still contain the deployment's name."""
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    groups = cloud.client("logs").describe_log_groups()["logGroups"]
    roles = cloud.client("iam").list_roles()["Roles"]
    names = [
        *(each["StackName"] for each in stacks),
        *(each["repositoryName"] for each in cloud.client("ecr").describe_repositories()["repositories"]),
        *(each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]),
        *(each["Name"] for each in cloud.client("secretsmanager").list_secrets()["SecretList"]),
        *(each["logGroupName"] for each in groups),
        *(each["RoleName"] for each in roles),
        *(
            each["LoadBalancerName"]
            for each in cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
        ),
        *cloud.client("ecs").list_clusters()["clusterArns"],
        *(each["AlarmName"] for each in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(each["Name"] for each in cloud.client("servicediscovery").list_namespaces()["Namespaces"]),
        *(str(each.get("Tags")) for each in cloud.client("ec2").describe_vpcs()["Vpcs"]),
        *(str(each.get("Tags")) for each in cloud.client("efs").describe_file_systems()["FileSystems"]),
    ]
    return [name for name in names if stack in name]
