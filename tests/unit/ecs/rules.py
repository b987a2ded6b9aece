"""What cfn-lint does not see. Each rule yields what is wrong with a pair of templates."""

import json
import re
from collections.abc import Callable, Iterator

from tests.unit.ecs.templates import Templates, as_list, branches

TLS_POLICIES = {"ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}
ENGINES = {"valkey", "redis"}


def targets_are_addresses(templates: Templates) -> Iterator[str]:
    for name, group in templates.of("ElasticLoadBalancingV2::TargetGroup"):
        if group.get("TargetType") != "ip":
            yield f"{name}: tasks of awsvpc have addresses, not instances"


def balanced_containers_are_there(templates: Templates) -> Iterator[str]:
    ports = {
        (container["Name"], mapping["ContainerPort"])
        for _, _, container in templates.containers()
        for mapping in container.get("PortMappings", [])
    }
    for name, service in templates.of("ECS::Service"):
        for balancers in branches(service.get("LoadBalancers", [])):
            for each in balancers:
                if (each["ContainerName"], each["ContainerPort"]) not in ports:
                    yield f"{name}: no container {each['ContainerName']} has port {each['ContainerPort']}"


def one_way_to_capacity(templates: Templates) -> Iterator[str]:
    [(_, cluster)] = templates.of("ECS::Cluster")
    for name, service in templates.of("ECS::Service"):
        strategy = service.get("CapacityProviderStrategy", [])
        if bool(strategy) == bool(service.get("LaunchType")):
            yield f"{name}: a launch type or a strategy, and not both"
        if strategy and "${SpotWeight}" not in str(service.get("ForceNewDeployment")):
            yield f"{name}: ECS changes a strategy only with a new deployment"
        for each in strategy:
            if each["CapacityProvider"] not in cluster["CapacityProviders"]:
                yield f"{name}: the cluster has no {each['CapacityProvider']}"


def file_systems_are_secure(templates: Templates) -> Iterator[str]:
    for name, task in templates.of("ECS::TaskDefinition"):
        for volume in task.get("Volumes", []):
            efs = volume.get("EFSVolumeConfiguration", {})
            iam = efs.get("AuthorizationConfig", {}).get("IAM")
            if efs and (iam != "ENABLED" or efs.get("TransitEncryption") != "ENABLED"):
                yield f"{name}: IAM authorization needs encryption on the way"


def volumes_are_there(templates: Templates) -> Iterator[str]:
    for name, task, container in templates.containers():
        volumes = {volume["Name"] for volume in task.get("Volumes", [])}
        for mount in container.get("MountPoints", []):
            if mount["SourceVolume"] not in volumes:
                yield f"{name}: there is no volume {mount['SourceVolume']}"


def services_have_a_place(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        network = service.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
        if len(network.get("Subnets", [])) < 2 or not network.get("SecurityGroups"):
            yield f"{name}: needs two subnets and a security group"
        if network.get("AssignPublicIp") != "ENABLED":
            yield f"{name}: without a public address it cannot pull its image"


def alarms_can_go_off(templates: Templates) -> Iterator[str]:
    for name, alarm in templates.of("CloudWatch::Alarm"):
        if alarm["DatapointsToAlarm"] > alarm["EvaluationPeriods"]:
            yield f"{name}: wants more datapoints than it looks at"


def json_is_json(templates: Templates) -> Iterator[str]:
    texts = [
        (name, repository["LifecyclePolicy"]["LifecyclePolicyText"])
        for name, repository in templates.of("ECR::Repository")
    ]
    texts += [
        (name, each["Fn::Sub"])
        for name, dashboard in templates.of("CloudWatch::Dashboard")
        for each in branches(dashboard["DashboardBody"])
    ]
    for name, text in texts:
        try:
            json.loads(re.sub(r"\$\{[^}]+\}", "x", text))
        except ValueError as error:
            yield f"{name}: {error}"


def logs_have_a_group(templates: Templates) -> Iterator[str]:
    groups = {str(group["LogGroupName"]) for _, group in templates.of("Logs::LogGroup")}
    for name, _, container in templates.containers():
        options = container["LogConfiguration"]["Options"]
        if str(options["awslogs-group"]) not in groups:
            yield f"{name}: no log group is called {options['awslogs-group']}"
        if options["awslogs-stream-prefix"] != container["Name"]:
            yield f"{name}: python -m ecs run would not find its lines"


def names_fit_everywhere(templates: Templates) -> Iterator[str]:
    for template in (templates.base, templates.app):
        name = template["Parameters"]["Name"]
        for bad in ("a", "a-", "1a", "A", "a--b"):  # ECR and ElastiCache want single hyphens
            if re.fullmatch(name["AllowedPattern"], bad):
                yield f"{bad} cannot be the beginning of a name"
        if name["MaxLength"] > 20:
            yield "a load balancer's name, and CloudFormation's of a role, would be too long"


def images_outlive_their_deployment(templates: Templates) -> Iterator[str]:
    for name, repository in templates.of("ECR::Repository"):
        for rule in json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]:
            selection = rule["selection"]
            if selection["tagStatus"] != "untagged" and (
                selection["countType"] != "imageCountMoreThan" or selection["countNumber"] < 100
            ):
                yield f"{name}: the image that runs may be removed while CI pushes others"


def logs_end(templates: Templates) -> Iterator[str]:
    for name, group in templates.of("Logs::LogGroup"):
        if "RetentionInDays" not in group:
            yield f"{name}: kept, and paid for, for ever"


def known_words_only(templates: Templates) -> Iterator[str]:
    for name, listener in templates.of("ElasticLoadBalancingV2::Listener"):
        if listener["Protocol"] == "HTTPS" and listener.get("SslPolicy") not in TLS_POLICIES:
            yield f"{name}: {listener.get('SslPolicy')} is not a policy of today"
    for name, cache in templates.of("ElastiCache::ReplicationGroup"):
        if cache["Engine"] not in ENGINES:
            yield f"{name}: there is no engine {cache['Engine']}"


def base_gives_what_app_takes(templates: Templates) -> Iterator[str]:
    gives = set(templates.base["Outputs"]) - {"DeployRoleArn"}
    for name in gives - set(templates.app["Parameters"]):
        yield f"the app takes no {name}"
    for name, parameter in templates.app["Parameters"].items():
        if "Default" not in parameter and name not in gives | {"Name", "ImageTag", "ZoneA", "ZoneB"}:
            yield f"nobody gives the app its {name}"


def workers_come_first(templates: Templates) -> Iterator[str]:
    resources = templates.app["Resources"]
    if "WorkerService" not in as_list(resources["WebService"].get("DependsOn", [])):
        yield "web may be updated before the workers"
    if "RedisService" not in json.dumps(resources["WorkerService"]["Properties"].get("Tags", [])):
        yield "workers may start before Redis"
    behind = json.dumps(resources["WebService"]["Properties"].get("Tags", []))
    for name, listener in templates.of("ElasticLoadBalancingV2::Listener"):
        actions = (one for each in listener["DefaultActions"] for one in branches(each))
        if any(action["Type"] == "forward" for action in actions) and f'"{name}"' not in behind:
            yield f"web may come before {name}, and ECS refuses a target group that no listener has"


def services_let_go_of_the_balancer(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        balancers = service.get("LoadBalancers", [])
        if isinstance(balancers, dict) and [] not in branches(balancers):
            yield f"{name}: with --no-alb it would keep a target group that is about to go"
        if isinstance(balancers, dict) and "HealthCheckGracePeriodSeconds" in service:
            yield f"{name}: ECS refuses a grace period that comes or goes with a load balancer"


def redis_owns_its_file(templates: Templates) -> Iterator[str]:
    [(_, access)] = templates.of("EFS::AccessPoint")
    owner = f"{access['PosixUser']['Uid']}:{access['PosixUser']['Gid']}"
    for name, _, container in templates.containers():
        if container.get("MountPoints") and container.get("User") != owner:
            yield f"{name}: runs as {container.get('User')}, its file is {owner}'s"


def redis_is_found_soon(templates: Templates) -> Iterator[str]:
    for name, namespace in templates.of("ServiceDiscovery::PrivateDnsNamespace"):
        absent = namespace.get("Properties", {}).get("DnsProperties", {}).get("SOA", {}).get("TTL", 900)
        if absent > 10:
            yield f"{name}: that Redis has no address is remembered for {absent} s"
    for name, service in templates.of("ServiceDiscovery::Service"):
        for record in service["DnsConfig"]["DnsRecords"]:
            if record["TTL"] > 10:
                yield f"{name}: an address that is gone is remembered for {record['TTL']} s"


def tasks_can_get_out(templates: Templates) -> Iterator[str]:
    resources = templates.app["Resources"]
    for name in ("RedisService", "WorkerService"):
        for route in {"DefaultRoute", "SubnetARoutes", "SubnetBRoutes"} - set(resources[name]["DependsOn"]):
            yield f"{name}: without {route} its tasks reach no registry, at first or as they end"


def tasks_start_anew_when_redis_moves(templates: Templates) -> Iterator[str]:
    for name, _, container in templates.containers():
        reads = any(secret["Name"] == "REDIS_URL" for secret in container["Secrets"])
        if reads and {"Ref": "Redis"} not in container.get("DockerLabels", {}).values():
            yield f"{name}: its tasks would go on with the address of the Redis that is gone"


def failures_roll_back(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        deployment = service["DeploymentConfiguration"]
        if deployment.get("DeploymentCircuitBreaker") != {"Enable": True, "Rollback": True}:
            yield f"{name}: a version that does not start is tried for hours"
        if name != "RedisService" and not deployment.get("Alarms", {}).get("Rollback"):
            yield f"{name}: an alarm does not bring the old version back"


def counts_stay_as_they_were_set(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        if name != "RedisService" and "DesiredCount" in service:
            yield f"{name}: each update would undo `scale`"


def containers_are_confined(templates: Templates) -> Iterator[str]:
    for name, _, container in templates.containers():
        parameters = container.get("LinuxParameters", {})
        if not container.get("ReadonlyRootFilesystem") or parameters.get("Capabilities") != {"Drop": ["ALL"]}:
            yield f"{name}: may write to its image, or has capabilities"
        if not parameters.get("InitProcessEnabled"):
            yield f"{name}: nobody collects what its processes leave"


RULES: list[Callable[[Templates], Iterator[str]]] = [
    targets_are_addresses,
    balanced_containers_are_there,
    one_way_to_capacity,
    file_systems_are_secure,
    volumes_are_there,
    services_have_a_place,
    alarms_can_go_off,
    json_is_json,
    logs_have_a_group,
    names_fit_everywhere,
    images_outlive_their_deployment,
    logs_end,
    known_words_only,
    base_gives_what_app_takes,
    workers_come_first,
    services_let_go_of_the_balancer,
    redis_owns_its_file,
    redis_is_found_soon,
    tasks_can_get_out,
    tasks_start_anew_when_redis_moves,
    failures_roll_back,
    counts_stay_as_they_were_set,
    containers_are_confined,
]
