"""Rules that cfn-lint does not have. Each rule yields the violations in a pair of templates."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ecs.events import APP_PARAMETERS
from tests.unit.ecs.templates import Templates, as_list, branches
from web.events.marks import KEPT_SECONDS
from web.events.messages import INPUT
from web.events.queue import VISIBLE_AGAIN_SECONDS
from web.keeper.report import NAMESPACE, UNITS

TLS_POLICIES = {"ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}
ENGINES = {"valkey", "redis"}


def target_groups_use_addresses(templates: Templates) -> Iterator[str]:
    for name, group in templates.of("ElasticLoadBalancingV2::TargetGroup"):
        if group.get("TargetType") != "ip":
            yield f"{name}: the target type must be ip for awsvpc tasks"


def load_balancers_use_existing_containers(templates: Templates) -> Iterator[str]:
    ports = {
        (container["Name"], mapping["ContainerPort"])
        for _, _, container in templates.containers()
        for mapping in container.get("PortMappings", [])
    }
    for name, service in templates.of("ECS::Service"):
        for balancers in branches(service.get("LoadBalancers", [])):
            for each in balancers:
                target = (each["ContainerName"], each["ContainerPort"])
                if target not in ports:
                    yield f"{name}: there is no container {target[0]} with port {target[1]}"


def services_have_one_source_of_capacity(templates: Templates) -> Iterator[str]:
    [(_, cluster)] = templates.of("ECS::Cluster")
    for name, service in templates.of("ECS::Service"):
        strategy = service.get("CapacityProviderStrategy", [])
        if bool(strategy) == bool(service.get("LaunchType")):
            yield f"{name}: must have either a launch type or a capacity provider strategy"
        for each in strategy:
            if each["CapacityProvider"] not in cluster["CapacityProviders"]:
                yield f"{name}: the cluster has no {each['CapacityProvider']}"


def an_http_api_finds_the_ports_of_tasks(templates: Templates) -> Iterator[str]:
    """ECS tells Cloud Map the port of a container only where a record can have one."""
    for name, integration in templates.of("ApiGatewayV2::Integration"):
        service = integration["IntegrationUri"]["Fn::GetAtt"].partition(".")[0]
        records = templates.app["Resources"][service]["Properties"]["DnsConfig"]["DnsRecords"]
        if [record["Type"] for record in records] != ["SRV"]:
            yield f"{name}: {service} has no record with a port"
        registries = templates.app["Resources"]["WebService"]["Properties"]["ServiceRegistries"]
        for registry in (one for each in branches(registries) for one in each):
            if (registry["ContainerName"], registry["ContainerPort"]) != ("web", 8000):
                yield f"{name}: web's tasks do not register their port"


def file_systems_are_encrypted(templates: Templates) -> Iterator[str]:
    for name, task in templates.of("ECS::TaskDefinition"):
        for volume in task.get("Volumes", []):
            efs = volume.get("EFSVolumeConfiguration", {})
            iam = efs.get("AuthorizationConfig", {}).get("IAM")
            if efs and (iam != "ENABLED" or efs.get("TransitEncryption") != "ENABLED"):
                yield f"{name}: IAM authorization and encryption in transit must be enabled"


def volumes_exist(templates: Templates) -> Iterator[str]:
    for name, task, container in templates.containers():
        volumes = {volume["Name"] for volume in task.get("Volumes", [])}
        for mount in container.get("MountPoints", []):
            if mount["SourceVolume"] not in volumes:
                yield f"{name}: there is no volume {mount['SourceVolume']}"


def services_have_a_network(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        network = service.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
        if network.get("Subnets") != {"Ref": "SubnetIds"} or not network.get("SecurityGroups"):
            yield f"{name}: must have the subnets of tasks and a security group"
        if network.get("AssignPublicIp") != {"Ref": "PublicAddresses"}:
            yield f"{name}: without a public address in a public subnet, its tasks cannot pull their image"
    if templates.app["Parameters"]["PublicAddresses"]["Default"] != "ENABLED":
        yield "tasks in a VPC of our own have no other way out than public addresses"


def alarms_can_fire(templates: Templates) -> Iterator[str]:
    for name, alarm in templates.of("CloudWatch::Alarm"):
        if alarm["DatapointsToAlarm"] > alarm["EvaluationPeriods"]:
            yield f"{name}: requires more datapoints than it evaluates"


def texts_of(sub: Any) -> Iterator[str]:
    """What the Fn::Sub of a dashboard can give: a text, perhaps with a part that depends on a condition."""
    if isinstance(sub, str):
        yield sub
        return
    text, [(part, value)] = sub[0], sub[1].items()
    for each in branches(value):
        yield text.replace(f"${{{part}}}", each["Fn::Sub"] if isinstance(each, dict) else each)


def embedded_json_is_valid(templates: Templates) -> Iterator[str]:
    texts = [
        (name, repository["LifecyclePolicy"]["LifecyclePolicyText"])
        for name, repository in templates.of("ECR::Repository")
        if "LifecyclePolicy" in repository
    ]
    texts += [
        (name, text)
        for name, dashboard in templates.of("CloudWatch::Dashboard")
        for text in texts_of(dashboard["DashboardBody"]["Fn::Sub"])
    ]
    for name, text in texts:
        try:
            json.loads(re.sub(r"\$\{[^}]+\}", "x", text))
        except ValueError as error:
            yield f"{name}: {error}"


def logs_have_a_log_group(templates: Templates) -> Iterator[str]:
    groups = {str(group["LogGroupName"]) for _, group in templates.of("Logs::LogGroup")}
    for name, _, container in templates.containers():
        options = container["LogConfiguration"]["Options"]
        if str(options["awslogs-group"]) not in groups:
            yield f"{name}: there is no log group {options['awslogs-group']}"
        if options["awslogs-stream-prefix"] != container["Name"]:
            yield f"{name}: the stream prefix must be the container name, for python -m ecs run"


def names_are_valid_everywhere(templates: Templates) -> Iterator[str]:
    for template in (templates.base, templates.app, templates.events):
        name = template["Parameters"]["Name"]
        for bad in ("a", "a-", "1a", "A", "a--b"):  # ECR and ElastiCache refuse double hyphens
            if re.fullmatch(name["AllowedPattern"], bad):
                yield f"the pattern of Name allows {bad}, which some resource cannot start with"
        if name["MaxLength"] > 20:
            yield "with a longer Name, the names of the load balancer and of roles would be too long"


def running_images_do_not_expire(templates: Templates) -> Iterator[str]:
    for name, repository in templates.of("ECR::Repository"):
        text = repository.get("LifecyclePolicy", {}).get("LifecyclePolicyText", '{"rules": []}')
        for rule in json.loads(text)["rules"]:
            selection = rule["selection"]
            if selection["tagStatus"] != "untagged" and (
                selection["countType"] != "imageCountMoreThan" or selection["countNumber"] < 100
            ):
                yield f"{name}: CI could push so many images that the running one expires"


def logs_expire(templates: Templates) -> Iterator[str]:
    for name, group in templates.of("Logs::LogGroup"):
        if "RetentionInDays" not in group:
            yield f"{name}: its logs never expire"


def tls_policies_and_engines_exist(templates: Templates) -> Iterator[str]:
    for name, listener in templates.of("ElasticLoadBalancingV2::Listener"):
        if listener["Protocol"] == "HTTPS" and listener.get("SslPolicy") not in TLS_POLICIES:
            yield f"{name}: {listener.get('SslPolicy')} is not a current TLS policy"
    for name, cache in templates.of("ElastiCache::ReplicationGroup"):
        if cache["Engine"] not in ENGINES:
            yield f"{name}: there is no engine {cache['Engine']}"


def base_outputs_match_app_parameters(templates: Templates) -> Iterator[str]:
    outputs = set(templates.base["Outputs"]) - {"DeployRoleArn"}
    for name in outputs - set(templates.app["Parameters"]):
        yield f"the base output {name} is not a parameter of the app"
    for name, parameter in templates.app["Parameters"].items():
        if "Default" not in parameter and name not in outputs | {"Name", "ImageTag"}:
            yield f"the app parameter {name} has neither a default nor a base output"


def services_start_in_order(templates: Templates) -> Iterator[str]:
    resources = templates.app["Resources"]
    if "WorkerService" not in as_list(resources["WebService"].get("DependsOn", [])):
        yield "web could be updated before the workers"
    if "RedisService" not in json.dumps(resources["WorkerService"]["Properties"].get("Tags", [])):
        yield "workers could start before Redis"
    if "WorkerService" not in as_list(resources["SpotWorkerService"].get("DependsOn", [])):
        yield "workers on Spot could start before Redis"
    listeners = json.dumps(resources["WebService"]["Properties"].get("Tags", []))
    if "SpotWorkerService" not in listeners:
        yield "web could be updated before the workers on Spot"
    for name, listener in templates.of("ElasticLoadBalancingV2::Listener"):
        actions = (one for each in listener["DefaultActions"] for one in branches(each))
        if any(action["Type"] == "forward" for action in actions) and f'"{name}"' not in listeners:
            yield f"web could start before {name}, and ECS refuses a target group without a listener"


def services_can_leave_the_load_balancer(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        balancers = service.get("LoadBalancers", [])
        if isinstance(balancers, dict) and [] not in branches(balancers):
            yield f"{name}: with --front none it would keep a target group that is being deleted"
        if isinstance(balancers, dict) and "HealthCheckGracePeriodSeconds" in service:
            yield f"{name}: ECS refuses a grace period that is added or removed with a load balancer"


def redis_owns_its_files(templates: Templates) -> Iterator[str]:
    [(_, access)] = templates.of("EFS::AccessPoint")
    owner = f"{access['PosixUser']['Uid']}:{access['PosixUser']['Gid']}"
    for name, _, container in templates.containers():
        if container.get("MountPoints") and container.get("User") != owner:
            yield f"{name}: runs as {container.get('User')}, and its files belong to {owner}"


def dns_of_redis_expires_quickly(templates: Templates) -> Iterator[str]:
    for name, namespace in templates.of("ServiceDiscovery::PrivateDnsNamespace"):
        negative_ttl = namespace.get("Properties", {}).get("DnsProperties", {}).get("SOA", {}).get("TTL", 900)
        if negative_ttl > 10:
            yield f"{name}: resolvers cache a missing address of Redis for {negative_ttl} s"
    for name, service in templates.of("ServiceDiscovery::Service"):
        for record in service["DnsConfig"]["DnsRecords"]:
            if record["TTL"] > 10:
                yield f"{name}: resolvers cache an old address for {record['TTL']} s"


def subnets_have_a_route_out(templates: Templates) -> Iterator[str]:
    routes = [route for _, route in templates.of("EC2::Route")]
    out = {str(route["RouteTableId"]) for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0"}
    associated = {
        str(each["SubnetId"]): str(each["RouteTableId"])
        for _, each in templates.of("EC2::SubnetRouteTableAssociation")
    }
    for name, _ in templates.of("EC2::Subnet"):
        if associated.get(str({"Ref": name})) not in out:
            yield f"{name}: its tasks could not reach the registry"


def tasks_restart_when_redis_moves(templates: Templates) -> Iterator[str]:
    for name, _, container in templates.containers():
        reads = any(secret["Name"] == "REDIS_URL" for secret in container["Secrets"])
        if reads and {"Ref": "Redis"} not in container.get("DockerLabels", {}).values():
            yield f"{name}: its tasks would keep the address of the previous Redis"


def a_new_tag_of_the_code_leaves_redis_alone(templates: Templates) -> Iterator[str]:
    """Redis restarts with each new version of its task definition, and web answers 503 meanwhile."""
    if "ImageTag" in json.dumps(templates.app["Resources"]["RedisTask"]):
        yield "RedisTask: each deployment of the code would restart Redis"


def failures_roll_back(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        deployment = service["DeploymentConfiguration"]
        if deployment.get("DeploymentCircuitBreaker") != {"Enable": True, "Rollback": True}:
            yield f"{name}: without the circuit breaker, ECS retries a broken version for hours"
        if name != "RedisService" and not deployment.get("Alarms", {}).get("Rollback"):
            yield f"{name}: an alarm does not roll back a deployment"


def alarms_watch_what_is_reported(templates: Templates) -> Iterator[str]:
    for name, alarm in templates.of("CloudWatch::Alarm"):
        if alarm["Namespace"] == NAMESPACE and alarm["MetricName"] not in UNITS:
            yield f"{name}: web reports no {alarm['MetricName']}"
        if "AlarmActions" not in alarm:
            yield f"{name}: nobody receives it"


def both_services_run_the_same_workers(templates: Templates) -> Iterator[str]:
    resources = templates.app["Resources"]
    on_demand, spot = (resources[name]["Properties"] for name in ("WorkerService", "SpotWorkerService"))
    for part in ("TaskDefinition", "NetworkConfiguration", "DeploymentConfiguration", "Cluster"):
        if on_demand[part] != spot[part]:
            yield f"SpotWorkerService: its {part} is not that of WorkerService"


def updates_keep_task_counts(templates: Templates) -> Iterator[str]:
    for name, service in templates.of("ECS::Service"):
        if name != "RedisService" and "DesiredCount" in service:
            yield f"{name}: a DesiredCount would undo `scale` with each update"


def queues_are_encrypted_and_give_up_what_cannot_be_read(templates: Templates) -> Iterator[str]:
    for name, queue in templates.of("SQS::Queue"):
        if not queue.get("SqsManagedSseEnabled"):
            yield f"{name}: messages name files of callers, and must be encrypted"
        if "RedrivePolicy" not in queue and "RedriveAllowPolicy" not in queue:
            yield f"{name}: a message that web dies of would come again for ever"
        if queue.get("VisibilityTimeout", VISIBLE_AGAIN_SECONDS) != VISIBLE_AGAIN_SECONDS:
            yield f"{name}: messages come again at another time than web expects"
    for name, topic in templates.of("SNS::Topic"):
        if "Subscription" not in topic and not topic.get("KmsMasterKeyId"):
            yield f"{name}: what ends is not encrypted"


def copies_are_known_for_as_long_as_they_can_come(templates: Templates) -> Iterator[str]:
    kept = templates.events["Resources"]["Queue"]["Properties"]["MessageRetentionPeriod"]
    if int(kept) >= KEPT_SECONDS:
        yield f"Queue: a copy can come after {kept} s, and web knows a message for {KEPT_SECONDS}"


def only_new_files_below_input_start_batches(templates: Templates) -> Iterator[str]:
    for name, rule in templates.of("Events::Rule"):
        detail = rule["EventPattern"]["detail"]
        if detail.get("object", {}).get("key") != [{"prefix": INPUT}]:
            yield f"{name}: results would start batches, which write results"
        if detail.get("bucket", {}).get("name") != [{"Ref": "FilesBucket"}]:
            yield f"{name}: files of other buckets would start batches"
        for target in rule["Targets"]:
            if "DeadLetterConfig" not in target:
                yield f"{name}: what EventBridge cannot deliver would be lost"


def outputs_of_events_are_parameters_of_the_app(templates: Templates) -> Iterator[str]:
    for name in APP_PARAMETERS:
        if name not in templates.events["Outputs"] or name not in templates.app["Parameters"]:
            yield f"{name} is not both an output of events and a parameter of the app"


def containers_are_confined(templates: Templates) -> Iterator[str]:
    for name, _, container in templates.containers():
        parameters = container.get("LinuxParameters", {})
        if not container.get("ReadonlyRootFilesystem") or parameters.get("Capabilities") != {"Drop": ["ALL"]}:
            yield f"{name}: must have a read-only root filesystem and no capabilities"
        if not parameters.get("InitProcessEnabled"):
            yield f"{name}: without an init process, zombie processes remain"


RULES: list[Callable[[Templates], Iterator[str]]] = [
    target_groups_use_addresses,
    load_balancers_use_existing_containers,
    services_have_one_source_of_capacity,
    an_http_api_finds_the_ports_of_tasks,
    file_systems_are_encrypted,
    volumes_exist,
    services_have_a_network,
    alarms_can_fire,
    embedded_json_is_valid,
    logs_have_a_log_group,
    names_are_valid_everywhere,
    running_images_do_not_expire,
    logs_expire,
    tls_policies_and_engines_exist,
    base_outputs_match_app_parameters,
    services_start_in_order,
    services_can_leave_the_load_balancer,
    redis_owns_its_files,
    dns_of_redis_expires_quickly,
    subnets_have_a_route_out,
    tasks_restart_when_redis_moves,
    a_new_tag_of_the_code_leaves_redis_alone,
    failures_roll_back,
    alarms_watch_what_is_reported,
    both_services_run_the_same_workers,
    updates_keep_task_counts,
    containers_are_confined,
    queues_are_encrypted_and_give_up_what_cannot_be_read,
    copies_are_known_for_as_long_as_they_can_come,
    only_new_files_below_input_start_batches,
    outputs_of_events_are_parameters_of_the_app,
]
