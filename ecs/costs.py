"""What the resources of a deployment cost: those that its templates make with its parameters, by type."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from ecs import prices
from ecs.capacity import RECORD_BYTES, redis_mib
from ecs.keeping import warm_share
from ecs.prices import HOURS_PER_MONTH, SECONDS_PER_MONTH
from ecs.redis_sizes import node_of
from ecs.template import ParameterizedTemplate, Template

MILLION = 1e6
APPEND_ONLY_FILE_BYTES = 2_000
"""For each prediction that is posted alone; 1,200 where posts arrive together (measured)."""
LOG_BYTES = 870
"""Of web and worker for a prediction that is posted alone and waited for; a test measures it."""
LOG_EVENT_BYTES = 26
"""CloudWatch adds these to each line."""
ANSWER_BYTES = 900
"""Bytes of a request and its answer, with headers and TLS (estimate)."""
NEW_CONNECTIONS_PER_UNIT = 25 * 3600
"""How many of them an hour's capacity unit of a load balancer has; callers are taken to make one each."""
KEEPER_LINE_BYTES = 1_000
"""Bytes of the line that web's keeper logs once a minute (measured: 810)."""
IMAGE_GB = {"web": 0.06, "worker": 0.11, "predictions": 0.06, "redis": 0.05}
"""Compressed. Later versions share most layers."""
SECRETS_READ = 2
"""Each web process reads so many once a minute."""
METRICS = 8
"""Those that web's keeper reports."""
FREE_DASHBOARDS = 3
WEB_TASKS_IN_PRODUCTION = 2


class BilledBy(Enum):
    """What a part is billed for."""

    STANDING = "the deployment, paused or not"
    RUNNING = "web, while it runs"
    METERED = "use: the time of tasks, and what CloudWatch counts"


class CostPart(NamedTuple):
    """One line of the bill."""

    name: str
    usd: float
    how: str
    kind: BilledBy = BilledBy.STANDING


class TemplateShape(NamedTuple):
    """What is deployed."""

    base: ParameterizedTemplate
    app: ParameterizedTemplate
    web_tasks: int = 1

    @classmethod
    def of(
        cls, base: Mapping[str, str], app: Mapping[str, str], web_tasks: int | None = None
    ) -> "TemplateShape":
        """From the values of parameters."""
        return cls(
            ParameterizedTemplate(Template("base").parsed, base),
            ParameterizedTemplate(Template("app").parsed, app),
            web_tasks or (WEB_TASKS_IN_PRODUCTION if app.get("Production") == "yes" else 1),
        )

    def resources(self) -> dict[str, list[str]]:
        """The logical ids of what exists, by type."""
        found: dict[str, list[str]] = {}
        templates = [self.base, self.app]
        if self.app.parameter("EventsPolicyArn"):
            templates.append(ParameterizedTemplate(Template("events").parsed))
        for template in templates:
            for kind, names in template.existing().items():
                found.setdefault(kind, []).extend(names)
        return found


Pricing = Callable[[TemplateShape, list[str]], Iterator[CostPart]]


def monthly(shape: TemplateShape) -> list[CostPart]:
    """While nothing comes, with the workers of the warm hours on demand."""
    return _parts(MONTHLY, shape)


def per_million(shape: TemplateShape) -> list[CostPart]:
    """What a million predictions, posted alone, cost beside the month."""
    return _parts(BY_USE, shape)


def paused(shape: TemplateShape) -> list[CostPart]:
    """What goes on while no task runs."""
    return [part for part in monthly(shape) if part.kind is BilledBy.STANDING]


def total(parts: list[CostPart]) -> float:
    return sum(part.usd for part in parts)


def rate_from_which_elasticache_is_cheaper(shape: TemplateShape) -> float:
    """Predictions a second: their writes to EFS cost what ElastiCache costs more than the task of Redis."""
    own, managed = (shape._replace(app=shape.app.changed(Redis=kind)) for kind in ("ecs", "elasticache"))
    more = total(monthly(managed)) - total(monthly(own))
    less = total(per_million(own)) - total(per_million(managed))
    return max(0.0, more) / less * MILLION / SECONDS_PER_MONTH


def _parts(table: dict[str, Pricing], shape: TemplateShape) -> list[CostPart]:
    return [
        part
        for kind, names in shape.resources().items()
        if kind in table
        for part in table[kind](shape, names)
    ]


def _tasks(shape: TemplateShape, services: list[str]) -> Iterator[CostPart]:
    warm = int(shape.app.parameter("LeastWorkers")) * warm_share(shape.app.parameter("Warm"))
    counts = {
        "WebService": shape.web_tasks,
        "WorkerService": warm,
        "RedisService": 1.0,
        "SpotWorkerService": 0.0,
    }
    for service in sorted(services, key=list(counts).index):
        task = shape.app.properties(service)["TaskDefinition"]["Ref"]
        count, name = counts[service], service.removesuffix("Service").lower()
        if service == "SpotWorkerService":
            less = warm * task_month(shape, task) * (1 - prices.SPOT_SHARE)
            yield CostPart("worker: on Spot", 0.0, f"{less:.2f} less, where Spot has them all the time")
            continue
        how = f"{count:.3g} x {_size(shape, task)}"
        yield CostPart(f"{name}: tasks", count * task_month(shape, task), how, BilledBy.METERED)
        if shape.app.parameter("PublicAddresses") == "ENABLED":
            yield _addresses(f"{name}: public addresses", count, BilledBy.METERED)
    if shape.app.parameter("PublicAddresses") == "DISABLED":
        nat, data = prices.nat_month(), prices.NAT_DATA.usd
        yield CostPart("the way out of the VPC", 0.0, f"NAT, {nat:.0f} a zone and {data} a GB; or endpoints")


def _addresses(name: str, count: float, kind: BilledBy = BilledBy.STANDING) -> CostPart:
    hour = prices.ADDRESS.usd
    return CostPart(name, count * hour * HOURS_PER_MONTH, f"{count:.3g} at {hour} an hour", kind)


def task_month(shape: TemplateShape, task: str) -> float:
    """Of one task on demand."""
    return task_hour(shape, task) * HOURS_PER_MONTH


def task_hour(shape: TemplateShape, task: str) -> float:
    architecture = shape.app.parameter("Architecture")
    vcpus, gigabytes = _vcpus_and_memory(shape, task)
    return vcpus * prices.VCPU[architecture].usd + gigabytes * prices.MEMORY[architecture].usd


def _vcpus_and_memory(shape: TemplateShape, task: str) -> tuple[float, float]:
    properties = shape.app.properties(task)
    return shape.app.number(properties["Cpu"]) / 1024, shape.app.number(properties["Memory"]) / 1024


def _size(shape: TemplateShape, task: str) -> str:
    vcpus, gigabytes = _vcpus_and_memory(shape, task)
    return f"{vcpus:g} vCPU, {gigabytes:g} GB"


def _load_balancer(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    yield CostPart(
        "load balancer", prices.LOAD_BALANCER.usd * HOURS_PER_MONTH, f"{prices.LOAD_BALANCER.usd} an hour"
    )
    if shape.app.parameter("Scheme") == "internet-facing":
        yield _addresses("load balancer: public addresses", 2)


def _nodes(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    node = node_of(shape.app)
    usd = 2 * prices.NODES[node.type].usd * HOURS_PER_MONTH
    yield CostPart("ElastiCache: nodes", usd, f"2 x {node.type}")


def _file_system_backup(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    if shape.app.parameter("Production") == "yes":
        gigabytes = redis_mib(shape.app) / 1024
        usd = gigabytes * prices.FILE_SYSTEM_BACKUP.usd
        yield CostPart("EFS: backups", usd, f"up to {gigabytes:.2g} GB, a day's changes more each day")


def _web_processes(shape: TemplateShape) -> int:
    """One for each vCPU, one at least."""
    return shape.web_tasks * max(1, int(shape.app.parameter("WebCpu")) // 1024)


def _secrets(shape: TemplateShape, names: list[str]) -> Iterator[CostPart]:
    yield CostPart("secrets", len(names) * prices.SECRET.usd, f"{len(names)} x {prices.SECRET.usd:.2f}")
    reads = SECRETS_READ * _web_processes(shape) * 60 * HOURS_PER_MONTH
    usd = reads / MILLION * prices.SECRET_READS.usd
    yield CostPart(
        "web: reads of secrets", usd, f"{SECRETS_READ} a minute for each web process", BilledBy.RUNNING
    )


def _key(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    uses = SECRETS_READ * _web_processes(shape) * 60 * HOURS_PER_MONTH
    yield CostPart(
        "key of KMS", prices.KEY.usd + uses / MILLION * prices.KEY_USES.usd, "one, and a use for each read"
    )


def _logs(shape: TemplateShape, names: list[str]) -> Iterator[CostPart]:
    gigabytes = 60 * HOURS_PER_MONTH * KEEPER_LINE_BYTES / 1e9
    yield CostPart(
        "web: its line of log a minute", gigabytes * prices.LOGS.usd, f"{gigabytes:.2f} GB", BilledBy.METERED
    )
    for name, what in (("FlowLogs", "connections"), ("AccessLogs", "requests")):
        if name in names:
            yield CostPart(f"logs of {what}", 0.0, f"{prices.LOGS.usd:.2f} for each GB")


def _metrics(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    """A dashboard shows them; web's keeper reports them while it runs."""
    yield CostPart(
        "web: metrics", METRICS * prices.METRIC.usd, f"{METRICS} x {prices.METRIC.usd:.2f}", BilledBy.RUNNING
    )
    yield CostPart(
        "dashboard",
        0.0,
        f"the first {FREE_DASHBOARDS} of an account are free, others {prices.DASHBOARD.usd:.2f}",
    )


def _alarms(shape: TemplateShape, names: list[str]) -> Iterator[CostPart]:
    yield CostPart("alarms", len(names) * prices.ALARM.usd, f"{len(names)} x {prices.ALARM.usd:.2f}")


def _zone(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    yield CostPart("private DNS zone", prices.ZONE.usd, "for the names of Redis and web")


def _images(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    gigabytes = sum(IMAGE_GB.values())
    yield CostPart("images", gigabytes * prices.IMAGES.usd, f"about {gigabytes:.2f} GB")


def _objects(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    yield CostPart("files of batches", 0.0, f"{prices.OBJECTS.usd} for each GB that is kept")


def _file_system_use(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    written = APPEND_ONLY_FILE_BYTES * MILLION / 1e9
    yield CostPart("EFS: writes of Redis", written * prices.FILE_SYSTEM_WRITES.usd, f"{written:.1f} GB")
    share = int(shape.app.parameter("RetentionSeconds")) / SECONDS_PER_MONTH
    kept = (RECORD_BYTES + APPEND_ONLY_FILE_BYTES) * MILLION / 1e9 * share
    yield CostPart("EFS: what is kept", kept * prices.FILE_SYSTEM.usd, f"{kept:.3f} GB-months")


def _requests_of_api(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    yield CostPart("HTTP API: requests", prices.API.usd, "with waiting; polling costs a request each time")


def _requests_of_balancer(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    units = max(MILLION / NEW_CONNECTIONS_PER_UNIT, MILLION * ANSWER_BYTES / 1e9)
    yield CostPart(
        "load balancer: capacity units", units * prices.CAPACITY_UNIT.usd, f"{units:.1f} unit-hours"
    )


def _lines_of_log(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    gigabytes = LOG_BYTES * MILLION / 1e9
    yield CostPart("logs of web and workers", gigabytes * prices.LOGS.usd, f"{gigabytes:.2f} GB")


def _messages(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    """Each web process asks, and waits 20 s for an answer."""
    usd = _web_processes(shape) * 3 * 60 * HOURS_PER_MONTH / MILLION * prices.QUEUE.usd
    yield CostPart("web: reads of the queue of events", usd, "3 a minute", BilledBy.RUNNING)


def _events(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    yield CostPart("events of files and of ends of jobs", 0.0, f"{prices.EVENTS.usd:.2f} for each million")


def _emails(shape: TemplateShape, _: list[str]) -> Iterator[CostPart]:
    yield CostPart("emails of alarms", 0.0, "the first thousand of a month are free")


MONTHLY: dict[str, Pricing] = {
    "AWS::ECS::Service": _tasks,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::ElastiCache::ReplicationGroup": _nodes,
    "AWS::EFS::FileSystem": _file_system_backup,
    "AWS::SecretsManager::Secret": _secrets,
    "AWS::ServiceDiscovery::PrivateDnsNamespace": _zone,
    "AWS::ECR::Repository": _images,
    "AWS::Logs::LogGroup": _logs,
    "AWS::CloudWatch::Dashboard": _metrics,
    "AWS::CloudWatch::Alarm": _alarms,
    "AWS::KMS::Key": _key,
    "AWS::S3::Bucket": _objects,
    "AWS::SNS::Topic": _emails,
    "AWS::SQS::Queue": _messages,
    "AWS::Events::Rule": _events,
}
BY_USE: dict[str, Pricing] = {
    "AWS::ApiGatewayV2::Api": _requests_of_api,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _requests_of_balancer,
    "AWS::EFS::FileSystem": _file_system_use,
    "AWS::Logs::LogGroup": _lines_of_log,
}
FREE = {
    "AWS::ApiGatewayV2::Integration": "part of the HTTP API",
    "AWS::ApiGatewayV2::Route": "part of the HTTP API",
    "AWS::ApiGatewayV2::Stage": "part of the HTTP API",
    "AWS::ApiGatewayV2::VpcLink": "that of an HTTP API has no price",
    "AWS::Budgets::Budget": "one without actions has no price",
    "AWS::EC2::FlowLog": "its log group has the price",
    "AWS::EC2::InternetGateway": "networks",
    "AWS::EC2::PrefixList": "networks",
    "AWS::EC2::Route": "networks",
    "AWS::EC2::RouteTable": "networks",
    "AWS::EC2::SecurityGroup": "networks",
    "AWS::EC2::SecurityGroupIngress": "networks",
    "AWS::EC2::Subnet": "networks",
    "AWS::EC2::SubnetRouteTableAssociation": "networks",
    "AWS::EC2::VPC": "networks",
    "AWS::EC2::VPCCidrBlock": "networks",
    "AWS::EC2::VPCEndpoint": "a gateway to S3; endpoints with interfaces have a price",
    "AWS::EC2::VPCGatewayAttachment": "networks",
    "AWS::ECS::Cluster": "its tasks have the price",
    "AWS::ECS::TaskDefinition": "the tasks have the price",
    "AWS::EFS::AccessPoint": "the file system has the price",
    "AWS::EFS::MountTarget": "the file system has the price",
    "AWS::ElastiCache::ParameterGroup": "the nodes have the price",
    "AWS::ElastiCache::SubnetGroup": "the nodes have the price",
    "AWS::ElasticLoadBalancingV2::Listener": "the load balancer has the price",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "the load balancer has the price",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "the load balancer has the price",
    "AWS::Events::EventBus": "what is put on it has the price",
    "AWS::IAM::ManagedPolicy": "rights",
    "AWS::IAM::OIDCProvider": "rights",
    "AWS::IAM::Role": "rights",
    "AWS::S3::BucketPolicy": "rights",
    "AWS::SNS::TopicPolicy": "rights",
    "AWS::SQS::QueuePolicy": "rights",
    "AWS::Scheduler::ScheduleGroup": "the first 14 million starts of a month are free",
    "AWS::ServiceDiscovery::Service": "its zone has the price",
}
"""Why a type of resource has no price of its own."""
