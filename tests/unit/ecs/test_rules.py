"""The templates keep every rule, and every rule can fail: by mistakes that cfn-lint lets pass."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from ecs.invariants import INVARIANTS, Given
from tests.unit.ecs import access, rules
from tests.unit.ecs.templates import Templates, shipped

Rule = Callable[[Templates], Iterator[str]]
Path = tuple[str | int, ...]
GONE = object()
RULES = rules.RULES + access.RULES


def of(logical: str, *path: str | int) -> Path:
    return ("Resources", logical, "Properties", *path)


def container(logical: str, *path: str | int) -> Path:
    return of(logical, "ContainerDefinitions", 0, *path)


def changed(template: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy in which the value at the path is another, or gone."""
    copy = deepcopy(template)
    *way, last = path
    place: Any = copy
    for step in way:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return copy


DEPLOYMENT = "DeploymentConfiguration"
NETWORK = ("NetworkConfiguration", "AwsvpcConfiguration")
INGRESS = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIp": "0.0.0.0/0"}]
STATEMENT = ("Policies", 0, "PolicyDocument", "Statement", 0)
TRUST = ("AssumeRolePolicyDocument", "Statement", 0)
MISTAKES: list[tuple[Rule, Path, Any]] = [
    (rules.targets_are_addresses, of("WebTargets", "TargetType"), "instance"),
    (rules.balanced_containers_are_there, container("WebTask", "Name"), "wbe"),
    (rules.balanced_containers_are_there, container("WebTask", "PortMappings", 0, "ContainerPort"), 8080),
    (rules.one_way_to_capacity, of("WorkerService", "LaunchType"), "FARGATE"),
    (rules.one_way_to_capacity, of("WorkerService", "ForceNewDeployment"), GONE),
    (rules.one_way_to_capacity, of("Cluster", "CapacityProviders"), ["FARGATE"]),
    (access.agents_have_a_role, of("WebTask", "ExecutionRoleArn"), GONE),
    (
        rules.file_systems_are_secure,
        of("RedisTask", "Volumes", 0, "EFSVolumeConfiguration", "TransitEncryption"),
        GONE,
    ),
    (rules.volumes_are_there, container("RedisTask", "MountPoints", 0, "SourceVolume"), "dta"),
    (rules.services_have_a_place, of("WebService", *NETWORK, "Subnets"), []),
    (rules.services_have_a_place, of("WorkerService", *NETWORK, "AssignPublicIp"), "DISABLED"),
    (rules.alarms_can_go_off, of("WebErrorsAlarm", "DatapointsToAlarm"), 4),
    (rules.json_is_json, of("Dashboard", "DashboardBody"), {"Fn::Sub": '{"widgets": [}'}),
    (
        access.nothing_secret_is_in_the_open,
        container("WebTask", "Environment", 0),
        {"Name": "REDIS_URL", "Value": "redis://:hunter2@redis"},
    ),
    (access.nothing_secret_is_in_the_open, of("Cache", "AuthToken"), "hunter2hunter2hunter2"),
    (
        access.roles_are_assumed_by_whom_we_mean,
        of("WebRole", *TRUST, "Principal", "Service"),
        "ecs.amazonaws.com",
    ),
    (access.roles_are_assumed_by_whom_we_mean, of("WebRole", *TRUST, "Condition"), GONE),
    (access.rights_are_bound, of("WebRole", *STATEMENT, "Action"), "s3:*"),
    (access.rights_are_bound, of("WebRole", *STATEMENT, "Resource"), "*"),
    (access.the_world_reaches_web_only, of("RedisGroup", "SecurityGroupIngress"), INGRESS),
    (access.the_world_reaches_web_only, of("BalancerGroup", "SecurityGroupIngress"), INGRESS),
    (
        rules.logs_have_a_group,
        container("WebTask", "LogConfiguration", "Options", "awslogs-group"),
        {"Fn::Sub": "/ecs/${Name}/wbe"},
    ),
    (
        rules.logs_have_a_group,
        container("WebTask", "LogConfiguration", "Options", "awslogs-stream-prefix"),
        "x",
    ),
    (rules.known_words_only, of("HttpsListener", "SslPolicy"), "ELBSecurityPolicy-2016-08"),
    (rules.known_words_only, of("Cache", "Engine"), "vlkey"),
    (rules.base_gives_what_app_takes, ("Parameters", "ApiKeysArn"), GONE),
    (rules.base_gives_what_app_takes, ("Parameters", "PreviousTag"), {"Type": "String"}),
    (rules.workers_come_first, ("Resources", "WebService", "DependsOn"), "DefaultRoute"),
    (rules.workers_come_first, of("WorkerService", "Tags"), GONE),
    (rules.workers_come_first, of("WebService", "Tags"), GONE),
    (
        rules.workers_come_first,
        of("WebService", "Tags", 0, "Value"),
        {"Fn::If": ["Balanced", {"Ref": "HttpListener"}, "nothing"]},
    ),
    (
        rules.services_let_go_of_the_balancer,
        of("WebService", "LoadBalancers", "Fn::If", 2),
        {"Ref": "AWS::NoValue"},
    ),
    (rules.services_let_go_of_the_balancer, of("WebService", "HealthCheckGracePeriodSeconds"), 60),
    (rules.redis_owns_its_file, container("RedisTask", "User"), "0:0"),
    (rules.redis_is_found_soon, of("Namespace", "Properties"), GONE),
    (rules.redis_is_found_soon, of("RedisDiscovery", "DnsConfig", "DnsRecords", 0, "TTL"), 60),
    (rules.tasks_can_get_out, ("Resources", "WorkerService", "DependsOn"), ["DefaultRoute"]),
    (rules.tasks_start_anew_when_redis_moves, container("WebTask", "DockerLabels"), GONE),
    (
        rules.failures_roll_back,
        of("WorkerService", DEPLOYMENT, "DeploymentCircuitBreaker", "Rollback"),
        False,
    ),
    (rules.failures_roll_back, of("WebService", DEPLOYMENT, "Alarms"), GONE),
    (rules.counts_stay_as_they_were_set, of("WorkerService", "DesiredCount"), 1),
    (rules.containers_are_confined, container("WebTask", "ReadonlyRootFilesystem"), False),
    (rules.containers_are_confined, container("WorkerTask", "LinuxParameters", "InitProcessEnabled"), False),
]
MISTAKES_IN_BASE: list[tuple[Rule, Path, Any]] = [
    (
        rules.json_is_json,
        of("WebRepository", "LifecyclePolicy", "LifecyclePolicyText"),
        '{"rules": [{"rulePriority": 1,}]}',
    ),
    (rules.names_fit_everywhere, ("Parameters", "Name", "AllowedPattern"), "^[a-z][a-z0-9-]*[a-z0-9]$"),
    (rules.names_fit_everywhere, ("Parameters", "Name", "MaxLength"), 32),
    (
        rules.images_outlive_their_deployment,
        of("WorkerRepository", "LifecyclePolicy", "LifecyclePolicyText"),
        '{"rules": [{"selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countNumber": 9}}]}',
    ),
    (access.what_others_lean_on_stays, ("Resources", "GitHub", "DeletionPolicy"), GONE),
    (rules.logs_end, of("WebLogs", "RetentionInDays"), GONE),
    (
        access.rights_are_bound,
        of("DeployRole", "Policies", 0, "PolicyDocument", "Statement", 1, "Resource"),
        "*",
    ),
    (rules.base_gives_what_app_takes, ("Outputs", "FilesBucket"), GONE),
]
MISMATCHES: list[tuple[str, Path, Any]] = [
    ("timeouts in order", of("LoadBalancer", "LoadBalancerAttributes", 1, "Value"), "20"),
    ("timeouts in order", of("LoadBalancer", "LoadBalancerAttributes", 1, "Value"), "75"),
    ("timeouts in order", of("WebTargets", "TargetGroupAttributes", 0, "Value"), "10"),
    ("timeouts in order", of("WebTargets", "HealthCheckTimeoutSeconds"), 10),
    ("timeouts in order", of("WebTargets", "UnhealthyThresholdCount"), 2),
    ("timeouts in order", container("WorkerTask", "StopTimeout"), 180),
    ("timeouts in order", container("WebTask", "StopTimeout"), 10),
    ("timeouts in order", container("WebTask", "HealthCheck", "Timeout"), 30),
    ("memory of Redis", container("RedisTask", "Command"), ["redis-server", "--maxmemory", "512mb"]),
    ("memory of Redis", of("RedisTask", "Memory"), "512"),
    ("memory of Redis", container("RedisTask", "HealthCheck", "StartPeriod"), 60),
    ("memory of Redis", of("CacheParameters", "Properties", "maxmemory-policy"), "volatile-lru"),
    ("one Redis", of("RedisService", DEPLOYMENT, "MaximumPercent"), 200),
    ("one Redis", of("RedisService", "DesiredCount"), 2),
    ("one Redis", of("RedisService", "LaunchType"), GONE),
    ("one Redis", of("RedisService", "AvailabilityZoneRebalancing"), GONE),
    ("sizes", ("Parameters", "WorkerMemory", "Default"), 1024),
]


def name(value: Any) -> str:
    if isinstance(value, tuple):
        return ".".join(map(str, value[1:]))
    return getattr(value, "__name__", value if isinstance(value, str) and len(value) < 30 else "value")


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_templates_keep_the_rule(rule: Rule) -> None:
    assert list(rule(shipped())) == []


@pytest.mark.parametrize(("rule", "path", "value"), MISTAKES, ids=name)
def test_a_mistake_in_app_is_seen(rule: Rule, path: Path, value: Any) -> None:
    assert list(rule(Templates(shipped().base, changed(shipped().app, path, value))))


@pytest.mark.parametrize(("rule", "path", "value"), MISTAKES_IN_BASE, ids=name)
def test_a_mistake_in_base_is_seen(rule: Rule, path: Path, value: Any) -> None:
    assert list(rule(Templates(changed(shipped().base, path, value), shipped().app)))


def test_every_rule_is_seen_to_fail() -> None:
    assert {rule for rule, _, _ in MISTAKES + MISTAKES_IN_BASE} == set(RULES)


@pytest.mark.parametrize("about", INVARIANTS)
def test_the_templates_keep_the_invariant(about: str) -> None:
    assert list(INVARIANTS[about](Given(shipped().app))) == []


@pytest.mark.parametrize(("about", "path", "value"), MISMATCHES, ids=name)
def test_what_does_not_fit_together_is_seen(about: str, path: Path, value: Any) -> None:
    assert list(INVARIANTS[about](Given(changed(shipped().app, path, value))))


def test_parameters_count_as_well_as_defaults() -> None:
    assert list(INVARIANTS["sizes"](Given(shipped().app, {"WebCpu": "512"})))
