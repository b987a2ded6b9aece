"""What a deployment used in the last day, as CloudWatch has measured it, and what that costs."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ecs import prices
from ecs.costs import MILLION, BilledBy, CostPart, TemplateShape, monthly, task_hour
from ecs.names import ECS_SERVICES, SERVICES, ResourceNames
from ecs.prices import HOURS_PER_MONTH, Price

DAY = timedelta(days=1)
DAYS_PER_MONTH = HOURS_PER_MONTH / 24
_PERIOD = 3600
_TASKS = {"web": "WebTask", "worker": "WorkerTask", "worker-spot": "WorkerTask", "redis": "RedisTask"}


class Query(NamedTuple):
    """A metric of CloudWatch."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"


class Meter(NamedTuple):
    """What is billed by use. `per`: so much of the metric is one unit of the price."""

    part: str
    resource: str
    """Its logical id in the app template."""
    dimension: str
    query: Query
    price: Price
    per: float


METERS = (
    Meter(
        "EFS: writes of Redis",
        "FileSystem",
        "FileSystemId",
        Query("AWS/EFS", "DataWriteIOBytes", {}),
        prices.FILE_SYSTEM_WRITES,
        1e9,
    ),
    Meter(
        "EFS: what is kept",
        "FileSystem",
        "FileSystemId",
        Query("AWS/EFS", "StorageBytes", {"StorageClass": "Total"}, "Average"),
        prices.FILE_SYSTEM,
        1e9 * DAYS_PER_MONTH,
    ),
    Meter("HTTP API: requests", "Api", "ApiId", Query("AWS/ApiGateway", "Count", {}), prices.API, MILLION),
    Meter(
        "load balancer: capacity units",
        "LoadBalancer",
        "LoadBalancer",
        Query("AWS/ApplicationELB", "ConsumedLCUs", {}),
        prices.CAPACITY_UNIT,
        1,
    ),
)


class Day(NamedTuple):
    """The last day, as measured."""

    parts: list[CostPart]
    rows: float
    """How many rows the workers have scored."""

    @property
    def usd(self) -> float:
        return sum(part.usd for part in self.parts)


class MeasuredDeployment(NamedTuple):
    """What is measured: a deployment, and the physical ids of its app's resources."""

    names: ResourceNames
    shape: TemplateShape
    ids: Mapping[str, str]


def measure(cloudwatch: Any, what: MeasuredDeployment, end: datetime) -> Day:
    meters = [meter for meter in METERS if meter.resource in what.ids]
    tasks, logs = _of_services(what.names)
    rate = Query("Paygrade", "RowsPerSecond", {"Deployment": what.names.deployment})
    queries = [*tasks, *logs, *(_of_resource(meter, what.ids[meter.resource]) for meter in meters), rate]
    values = iter(_ask(cloudwatch, queries, end))
    minutes = {service: next(values) for service in ECS_SERVICES}
    gigabytes = sum(next(values) for _ in logs) / 1e9
    parts = [
        *_of_tasks(what.shape, minutes),
        CostPart("logs", gigabytes * prices.LOGS.usd, f"{gigabytes:.3f} GB"),
        *(_of_meter(meter, next(values)) for meter in meters),
        *_standing(what.shape),
    ]
    return Day(parts, rows=60 * next(values))  # one value of the rate a minute


def _of_services(names: ResourceNames) -> tuple[list[Query], list[Query]]:
    """Each task reports its CPU once a minute, so that the samples are the minutes of all tasks."""
    tasks = [
        Query("AWS/ECS", "CPUUtilization", {"ClusterName": names.cluster, "ServiceName": each}, "SampleCount")
        for each in ECS_SERVICES
    ]
    logs = [Query("AWS/Logs", "IncomingBytes", {"LogGroupName": names.log_group(each)}) for each in SERVICES]
    return tasks, logs


def _of_resource(meter: Meter, physical_id: str) -> Query:
    """CloudWatch knows a load balancer by the end of its ARN."""
    value = physical_id.partition(":loadbalancer/")[2] or physical_id
    return meter.query._replace(dimensions={meter.dimension: value, **meter.query.dimensions})


def _ask(cloudwatch: Any, queries: list[Query], end: datetime) -> list[float]:
    """One call for all. A metric without a value is 0."""
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_as_request(f"q{number}", query) for number, query in enumerate(queries)],
        StartTime=end - DAY,
        EndTime=end,
    )
    found: list[list[float]] = [[] for _ in queries]
    for result in (result for page in pages for result in page["MetricDataResults"]):
        found[int(result["Id"][1:])] += result["Values"]
    return [
        sum(values) / (len(values) if query.statistic == "Average" and values else 1)
        for query, values in zip(queries, found, strict=True)
    ]


def _as_request(key: str, query: Query) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions.items()]
    metric = {"Namespace": query.namespace, "MetricName": query.metric, "Dimensions": dimensions}
    return {"Id": key, "MetricStat": {"Metric": metric, "Period": _PERIOD, "Stat": query.statistic}}


def _of_tasks(shape: TemplateShape, minutes: Mapping[str, float]) -> Iterator[CostPart]:
    public = shape.app.parameter("PublicAddresses") == "ENABLED"
    for service, hours in ((service, each / 60) for service, each in minutes.items() if each):
        share = prices.SPOT_SHARE if service.endswith("-spot") else 1
        usd = hours * task_hour(shape, _TASKS[service]) * share
        yield CostPart(f"{service}: tasks", usd, f"{hours:.1f} hours of tasks")
        if public:
            yield CostPart(f"{service}: public addresses", hours * prices.ADDRESS.usd, f"{hours:.1f} hours")


def _of_meter(meter: Meter, value: float) -> CostPart:
    units, price = value / meter.per, meter.price
    return CostPart(meter.part, units * price.usd, f"{units:.3f} at {price.usd} a {price.unit}")


def _standing(shape: TemplateShape) -> Iterator[CostPart]:
    """A day of what is there, whatever comes."""
    for part in monthly(shape):
        if part.usd and part.kind is not BilledBy.METERED:
            yield part._replace(usd=part.usd / DAYS_PER_MONTH)
