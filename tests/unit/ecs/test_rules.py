"""The templates obey every rule, and every rule detects mistakes that cfn-lint does not."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from ecs.invariants import INVARIANTS
from ecs.template import ParameterizedTemplate
from tests.unit.ecs import access, rules
from tests.unit.ecs.templates import Templates, shipped

Rule = Callable[[Templates], Iterator[str]]
Path = tuple[str | int, ...]
REMOVED = object()
RULES = rules.RULES + access.RULES


def of(logical: str, *path: str | int) -> Path:
    return ("Resources", logical, "Properties", *path)


def container(logical: str, *path: str | int) -> Path:
    return of(logical, "ContainerDefinitions", 0, *path)


def changed(template: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy in which the value at the path is replaced or removed."""
    copy = deepcopy(template)
    *steps, last = path
    parent: Any = copy
    for step in steps:
        parent = parent[step]
    if value is REMOVED:
        del parent[last]
    else:
        parent[last] = value
    return copy


DEPLOYMENT = "DeploymentConfiguration"
NETWORK = ("NetworkConfiguration", "AwsvpcConfiguration")
INGRESS = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIp": "0.0.0.0/0"}]
STATEMENT = ("Policies", 0, "PolicyDocument", "Statement", 0)
WORKERS = ("Policies", 1, "PolicyDocument", "Statement")
TRUST = ("AssumeRolePolicyDocument", "Statement", 0)
MISTAKES: list[tuple[Rule, Path, Any]] = [
    (rules.target_groups_use_addresses, of("WebTargets", "TargetType"), "instance"),
    (rules.load_balancers_use_existing_containers, container("WebTask", "Name"), "wbe"),
    (
        rules.load_balancers_use_existing_containers,
        container("WebTask", "PortMappings", 0, "ContainerPort"),
        8080,
    ),
    (rules.services_have_one_source_of_capacity, of("SpotWorkerService", "LaunchType"), "FARGATE"),
    (
        rules.services_have_one_source_of_capacity,
        of("SpotWorkerService", "CapacityProviderStrategy"),
        REMOVED,
    ),
    (rules.services_have_one_source_of_capacity, of("Cluster", "CapacityProviders"), ["FARGATE"]),
    (
        rules.an_http_api_finds_the_ports_of_tasks,
        of("WebDiscovery", "DnsConfig", "DnsRecords", 0, "Type"),
        "A",
    ),
    (
        rules.an_http_api_finds_the_ports_of_tasks,
        of("WebService", "ServiceRegistries", "Fn::If", 1, 0, "ContainerPort"),
        80,
    ),
    (access.tasks_have_an_execution_role, of("WebTask", "ExecutionRoleArn"), REMOVED),
    (
        rules.file_systems_are_encrypted,
        of("RedisTask", "Volumes", 0, "EFSVolumeConfiguration", "TransitEncryption"),
        REMOVED,
    ),
    (rules.volumes_exist, container("RedisTask", "MountPoints", 0, "SourceVolume"), "dta"),
    (rules.services_have_a_network, of("WebService", *NETWORK, "Subnets"), []),
    (rules.services_have_a_network, of("WorkerService", *NETWORK, "AssignPublicIp"), "DISABLED"),
    (rules.alarms_can_fire, of("WebErrorsAlarm", "DatapointsToAlarm"), 4),
    (rules.embedded_json_is_valid, of("Dashboard", "DashboardBody"), {"Fn::Sub": '{"widgets": [}'}),
    (
        access.secrets_are_referenced,
        container("WebTask", "Environment", 0),
        {"Name": "REDIS_URL", "Value": "redis://:hunter2@redis"},
    ),
    (access.secrets_are_referenced, of("Cache", "AuthToken"), "hunter2hunter2hunter2"),
    (
        access.roles_trust_only_ecs_tasks_of_the_account,
        of("WebRole", *TRUST, "Principal", "Service"),
        "ecs.amazonaws.com",
    ),
    (access.roles_trust_only_ecs_tasks_of_the_account, of("WebRole", *TRUST, "Condition"), REMOVED),
    (
        access.every_task_starts_with_rights_of_its_own,
        of("WebTask", "ExecutionRoleArn"),
        {"Fn::GetAtt": "WorkerExecutionRole.Arn"},
    ),
    (
        access.every_task_starts_with_rights_of_its_own,
        of("WebExecutionRole", "ManagedPolicyArns"),
        ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
    ),
    (access.roles_have_the_boundary_and_the_path, of("RedisRole", "PermissionsBoundary"), REMOVED),
    (access.roles_have_the_boundary_and_the_path, of("RedisRole", "Path"), REMOVED),
    (
        access.secrets_are_referenced,
        container("WebTask", "Environment", 0),
        {"Name": "PAYGRADE_API_KEYS_FILE", "Value": "hunter2"},
    ),
    (access.permissions_are_restricted, of("WebRole", *STATEMENT, "Action"), "s3:*"),
    (access.permissions_are_restricted, of("WebRole", *STATEMENT, "Resource"), "*"),
    (access.web_sets_only_how_many_workers_there_are, of("WebRole", *WORKERS, 1, "Condition"), REMOVED),
    (
        access.web_sets_only_how_many_workers_there_are,
        of("WebRole", *WORKERS, 1, "Resource"),
        [{"Fn::Sub": f"{access.SERVICE_ARN}/*"}],
    ),
    (access.web_sets_only_how_many_workers_there_are, of("WebRole", *WORKERS, 0, "Action"), "ecs:RunTask"),
    (
        access.web_sets_only_how_many_workers_there_are,
        of("WorkerRole", *STATEMENT, "Action"),
        "ecs:UpdateService",
    ),
    (rules.alarms_watch_what_is_reported, of("OldestJobAlarm", "MetricName"), "OldestSecond"),
    (rules.alarms_watch_what_is_reported, of("KeeperAlarm", "AlarmActions"), REMOVED),
    (rules.both_services_run_the_same_workers, of("SpotWorkerService", "TaskDefinition"), {"Ref": "WebTask"}),
    (rules.services_start_in_order, ("Resources", "SpotWorkerService", "DependsOn"), "DefaultRoute"),
    (access.only_web_is_reachable_from_outside, of("RedisGroup", "SecurityGroupIngress"), INGRESS),
    (access.only_web_is_reachable_from_outside, of("BalancerGroup", "SecurityGroupIngress"), INGRESS),
    (access.only_web_is_reachable_from_outside, of("WebToRedis", "SourceSecurityGroupId"), REMOVED),
    (access.groups_reach_only_what_they_need, of("RedisGroup", "SecurityGroupEgress"), REMOVED),
    (access.groups_reach_only_what_they_need, of("WorkerGroup", "SecurityGroupEgress", 1, "ToPort"), 65535),
    (
        rules.logs_have_a_log_group,
        container("WebTask", "LogConfiguration", "Options", "awslogs-group"),
        {"Fn::Sub": "/ecs/${Name}/wbe"},
    ),
    (
        rules.logs_have_a_log_group,
        container("WebTask", "LogConfiguration", "Options", "awslogs-stream-prefix"),
        "x",
    ),
    (rules.tls_policies_and_engines_exist, of("HttpsListener", "SslPolicy"), "ELBSecurityPolicy-2016-08"),
    (rules.tls_policies_and_engines_exist, of("Cache", "Engine"), "vlkey"),
    (rules.base_outputs_match_app_parameters, ("Parameters", "ApiKeysArn"), REMOVED),
    (rules.base_outputs_match_app_parameters, ("Parameters", "PreviousTags"), {"Type": "String"}),
    (rules.services_start_in_order, ("Resources", "WebService", "DependsOn"), "Cluster"),
    (rules.services_start_in_order, of("WorkerService", "Tags"), REMOVED),
    (rules.services_start_in_order, of("WebService", "Tags"), REMOVED),
    (
        rules.services_start_in_order,
        of("WebService", "Tags", 0, "Value"),
        {"Fn::If": ["Balanced", {"Ref": "HttpListener"}, {"Ref": "ListenerRule"}]},
    ),
    (
        rules.services_can_leave_the_load_balancer,
        of("WebService", "LoadBalancers", "Fn::If", 2),
        {"Ref": "AWS::NoValue"},
    ),
    (rules.services_can_leave_the_load_balancer, of("WebService", "HealthCheckGracePeriodSeconds"), 60),
    (rules.redis_owns_its_files, container("RedisTask", "User"), "0:0"),
    (rules.dns_of_redis_expires_quickly, of("Namespace", "Properties"), REMOVED),
    (rules.dns_of_redis_expires_quickly, of("RedisDiscovery", "DnsConfig", "DnsRecords", 0, "TTL"), 60),
    (
        rules.a_new_tag_of_the_code_leaves_redis_alone,
        container("RedisTask", "Image"),
        {"Fn::Sub": "${RedisRepositoryUri}:${ImageTag}"},
    ),
    (rules.tasks_restart_when_redis_moves, container("WebTask", "DockerLabels"), REMOVED),
    (
        rules.failures_roll_back,
        of("WorkerService", DEPLOYMENT, "DeploymentCircuitBreaker", "Rollback"),
        False,
    ),
    (rules.failures_roll_back, of("WebService", DEPLOYMENT, "Alarms"), REMOVED),
    (rules.updates_keep_task_counts, of("WorkerService", "DesiredCount"), 1),
    (rules.containers_are_confined, container("WebTask", "ReadonlyRootFilesystem"), False),
    (rules.containers_are_confined, container("WorkerTask", "LinuxParameters", "InitProcessEnabled"), False),
]
MISTAKES_IN_BASE: list[tuple[Rule, Path, Any]] = [
    (
        rules.embedded_json_is_valid,
        of("WebRepository", "LifecyclePolicy", "LifecyclePolicyText"),
        '{"rules": [{"rulePriority": 1,}]}',
    ),
    (rules.names_are_valid_everywhere, ("Parameters", "Name", "AllowedPattern"), "^[a-z][a-z0-9-]*[a-z0-9]$"),
    (rules.names_are_valid_everywhere, ("Parameters", "Name", "MaxLength"), 32),
    (
        rules.running_images_do_not_expire,
        of("WorkerRepository", "LifecyclePolicy", "LifecyclePolicyText"),
        '{"rules": [{"selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countNumber": 9}}]}',
    ),
    (
        access.ci_reaches_only_its_deployment,
        of("DeployRole", "Policies", 1, "PolicyDocument", "Statement", 3, "Resource"),
        [{"Fn::Sub": "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task-definition/${Name}-*"}],
    ),
    (
        access.ci_reaches_only_its_deployment,
        of("DeployRole", "Policies", 1, "PolicyDocument", "Statement", 6, "Condition"),
        {},
    ),
    (
        access.ci_is_one_project_of_one_issuer,
        of("DeployRole", "AssumeRolePolicyDocument", "Fn::Sub", 0),
        '{"Statement": [{"Principal": {}, "Condition": {"StringLike": {"${CiIssuer}:sub": "repo:a/*"}}}]}',
    ),
    (rules.subnets_have_a_route_out, of("SubnetBRoutes", "SubnetId"), {"Ref": "SubnetA"}),
    (rules.subnets_have_a_route_out, of("DefaultRoute", "DestinationCidrBlock"), "10.0.0.0/8"),
    (access.shared_resources_are_retained, ("Resources", "CiPlatform", "DeletionPolicy"), REMOVED),
    (rules.logs_expire, of("WebLogs", "RetentionInDays"), REMOVED),
    (
        access.permissions_are_restricted,
        of("DeployRole", "Policies", 0, "PolicyDocument", "Statement", 1, "Resource"),
        "*",
    ),
    (rules.base_outputs_match_app_parameters, ("Outputs", "FilesBucket"), REMOVED),
]
MISTAKES_IN_EVENTS: list[tuple[Rule, Path, Any]] = [
    (rules.names_are_valid_everywhere, ("Parameters", "Name", "MaxLength"), 32),
    (rules.queues_are_encrypted_and_give_up_what_cannot_be_read, of("Queue", "SqsManagedSseEnabled"), False),
    (rules.queues_are_encrypted_and_give_up_what_cannot_be_read, of("Queue", "RedrivePolicy"), REMOVED),
    (rules.queues_are_encrypted_and_give_up_what_cannot_be_read, of("Queue", "VisibilityTimeout"), 30),
    (rules.queues_are_encrypted_and_give_up_what_cannot_be_read, of("Topic", "KmsMasterKeyId"), REMOVED),
    (rules.copies_are_known_for_as_long_as_they_can_come, of("Queue", "MessageRetentionPeriod"), 1_209_600),
    (
        rules.only_new_files_below_input_start_batches,
        of("NewFiles", "EventPattern", "detail", "object"),
        REMOVED,
    ),
    (
        rules.only_new_files_below_input_start_batches,
        of("NewFiles", "EventPattern", "detail", "bucket"),
        REMOVED,
    ),
    (
        rules.only_new_files_below_input_start_batches,
        of("NewFiles", "Targets", 0, "DeadLetterConfig"),
        REMOVED,
    ),
    (rules.outputs_of_events_are_parameters_of_the_app, ("Outputs", "EventBus"), REMOVED),
    (access.queues_take_messages_of_the_deployment_only, of("QueuePolicy", "Queues"), []),
    (
        access.queues_take_messages_of_the_deployment_only,
        of("QueuePolicy", "PolicyDocument", "Statement", 0, "Condition"),
        REMOVED,
    ),
    (
        access.events_reach_nothing_but_the_deployment,
        of("WebPolicy", "PolicyDocument", "Statement", 3, "Resource"),
        "*",
    ),
    (access.roles_have_the_boundary_and_the_path, of("ScheduleRole", "PermissionsBoundary"), REMOVED),
    (access.roles_trust_only_ecs_tasks_of_the_account, of("ScheduleRole", *TRUST, "Condition"), REMOVED),
]
MISMATCHES: list[tuple[str, Path, Any]] = [
    ("timeouts", of("LoadBalancer", "LoadBalancerAttributes", 1, "Value"), "20"),
    ("timeouts", of("LoadBalancer", "LoadBalancerAttributes", 1, "Value"), "75"),
    ("timeouts", of("WebTargets", "TargetGroupAttributes", 0, "Value"), "10"),
    ("timeouts", of("WebTargets", "HealthCheckTimeoutSeconds"), 10),
    ("timeouts", of("WebTargets", "UnhealthyThresholdCount"), 2),
    ("timeouts", container("WorkerTask", "StopTimeout"), 180),
    ("timeouts", container("WebTask", "StopTimeout"), 10),
    ("timeouts", container("WebTask", "HealthCheck", "Timeout"), 30),
    ("timeouts", of("ApiIntegration", "TimeoutInMillis"), 20_000),
    ("timeouts", of("ApiIntegration", "TimeoutInMillis"), 60_000),
    ("Redis memory", container("RedisTask", "Command"), ["redis-server", "--maxmemory", "512mb"]),
    ("Redis memory", ("Parameters", "RedisMaxMemory", "Default"), 1024),
    ("Redis memory", container("RedisTask", "HealthCheck", "StartPeriod"), 60),
    ("Redis memory", container("RedisTask", "HealthCheck", "Retries"), 3),
    (
        "single Redis",
        container("RedisTask", "Command", 2),
        {"Fn::Sub": "exec valkey-server --appendonly yes"},
    ),
    ("Redis memory", of("CacheParameters", "Properties", "maxmemory-policy"), "volatile-lru"),
    ("single Redis", of("RedisService", DEPLOYMENT, "MaximumPercent"), 200),
    ("single Redis", of("RedisService", "DesiredCount"), 2),
    ("single Redis", of("RedisService", "LaunchType"), REMOVED),
    ("single Redis", of("RedisService", "AvailabilityZoneRebalancing"), REMOVED),
    ("task sizes", ("Parameters", "WorkerMemory", "Default"), 8192),
]


def name(value: Any) -> str:
    if isinstance(value, tuple):
        return ".".join(map(str, value[1:]))
    return getattr(value, "__name__", value if isinstance(value, str) and len(value) < 30 else "value")


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_templates_obey_the_rule(rule: Rule) -> None:
    assert list(rule(shipped())) == []


@pytest.mark.parametrize(("rule", "path", "value"), MISTAKES, ids=name)
def test_a_mistake_in_app_is_detected(rule: Rule, path: Path, value: Any) -> None:
    assert list(rule(Templates(shipped().base, changed(shipped().app, path, value))))


@pytest.mark.parametrize(("rule", "path", "value"), MISTAKES_IN_BASE, ids=name)
def test_a_mistake_in_base_is_detected(rule: Rule, path: Path, value: Any) -> None:
    assert list(rule(Templates(changed(shipped().base, path, value), shipped().app)))


@pytest.mark.parametrize(("rule", "path", "value"), MISTAKES_IN_EVENTS, ids=name)
def test_a_mistake_in_events_is_detected(rule: Rule, path: Path, value: Any) -> None:
    events = changed(shipped().events, path, value)
    assert list(rule(Templates(shipped().base, shipped().app, events)))


def test_every_rule_has_a_mistake_that_it_detects() -> None:
    assert {rule for rule, _, _ in MISTAKES + MISTAKES_IN_BASE + MISTAKES_IN_EVENTS} == set(RULES)


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_the_templates_obey_the_invariant(invariant: str) -> None:
    assert list(INVARIANTS[invariant](ParameterizedTemplate(shipped().app))) == []


@pytest.mark.parametrize(("invariant", "path", "value"), MISMATCHES, ids=name)
def test_a_contradiction_is_detected(invariant: str, path: Path, value: Any) -> None:
    assert list(INVARIANTS[invariant](ParameterizedTemplate(changed(shipped().app, path, value))))


def test_invariants_use_parameters_instead_of_defaults() -> None:
    assert list(INVARIANTS["task sizes"](ParameterizedTemplate(shipped().app, {"WebCpu": "512"})))
