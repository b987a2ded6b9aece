"""From an empty account to a running deployment and back to an empty account."""

from tests.integration.ecs.cloud import Cloud


def test_an_account_is_filled_and_emptied_again(cloud: Cloud, stack: str) -> None:
    def ecs(*arguments: str) -> str:
        said = cloud.ecs(*arguments, "--stack", stack)
        assert said.status == 0, said.err
        return said.out

    planned = ecs("plan", "--tag", "v1")
    assert "add  WebService" in planned
    assert not cloud.client("cloudformation").list_stacks(StackStatusFilter=["REVIEW_IN_PROGRESS"])[
        "StackSummaries"
    ]

    early = cloud.ecs("up", "--tag", "v1", "--yes", "--stack", stack)
    assert early.status == 2
    assert f"{stack}/worker:v1 and {stack}/web:v1 are not in the registry" in early.err
    assert "python -m ecs push" in early.err

    cloud.push(stack, "v1")
    made = ecs("up", "--tag", "v1", "--yes")
    [curl] = [line.strip() for line in made.splitlines() if line.strip().startswith("curl")]
    address = ecs("url").strip()
    assert curl.startswith(f"curl -X POST {address}/recms -H 'X-API-Key: ")
    assert made.index("RedisService") < made.index("CREATE_COMPLETE              WorkerService")
    assert made.rindex("WorkerService") < made.rindex("WebService")

    assert ecs("up", "--yes").count("nothing to change") == 2

    shown = ecs("ps")
    assert f"{stack}-worker:1" in shown
    assert "web:v1" in shown

    cloud.push(stack, "v2")
    updated = ecs("update", "--tag", "v2", "--no-check", "--yes")
    assert "WorkerTask" in updated
    assert "ImageTag" in updated
    assert "web:v2" in ecs("ps")
    assert ecs("url").strip() == address
    assert "v2 runs already" in ecs("update", "--tag", "v2", "--yes")

    ecs("rollback", "--yes")
    assert "web:v1" in ecs("ps")
    ecs("rollback", "--yes")
    assert "worker:v2" in ecs("ps")

    assert "worker: 3 of 3 running" in ecs("scale", "worker", "3")
    cloud.push(stack, "v3")
    ecs("update", "--tag", "v3", "--no-check", "--yes")
    assert ecs("ps").count("worker:v3") == 3

    removed = ecs("down", "--yes")
    assert f"nothing of {stack} is left" in removed
    assert leftovers(cloud, stack) == []


def leftovers(cloud: Cloud, stack: str) -> list[str]:
    """Whatever in the account still has the deployment's name in it."""
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
