"""Health, capacity, and the metrics of all processes together."""

from collections.abc import Iterator
from typing import NamedTuple

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from jobs.files.store import Disk, FileStore
from jobs.metrics import FAMILIES, SUM, Family
from jobs.queues.capacity import Capacity, Memory, Monitor
from jobs.webhooks.outbox import PendingWebhooks, WebhookOutbox
from web.access_log import AccessLog
from web.app import JsonResponse
from web.capacity_watch import CapacityWatch
from web.openapi.operation import Operation, ResponseSchema
from web.openapi.schemas import CapacitySchema, HealthSchema
from web.requests import ApiRequest, require_json_accepted
from web.routing import route

Samples = dict[tuple[str, ...], float]
PREFIX = "paygrade_"


class OperatingRoutes:
    def __init__(
        self,
        monitor: Monitor,
        watch: CapacityWatch,
        access_log: AccessLog,
        outbox: WebhookOutbox,
        files: FileStore,
    ) -> None:
        self._monitor = monitor
        self._files = files
        self._watch = watch
        self._access_log = access_log
        self._outbox = outbox

    @route(
        "GET",
        "/healthz",
        Operation(
            "health", "service", "Check that the process runs", {200: ResponseSchema("It runs", HealthSchema)}
        ),
    )
    def health(self, request: ApiRequest) -> JsonResponse:
        return JsonResponse(b'{"status":"ok"}')

    @route(
        "GET",
        "/readyz",
        Operation(
            "readiness",
            "service",
            "Check that Redis is available; there may be no workers",
            {200: ResponseSchema("Redis is available", HealthSchema)},
            (503,),
        ),
    )
    def readiness(self, request: ApiRequest) -> JsonResponse:
        self._monitor.ping()
        return JsonResponse(b'{"status":"ready"}')

    @route(
        "GET",
        "/v1/capacity",
        Operation(
            "capacity",
            "service",
            "Show what waits in the queues, the workers, and their rate",
            {200: ResponseSchema("The capacity", CapacitySchema, always=("Cache-Control",))},
            (406, 503),
        ),
    )
    def capacity(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        capacity = self._watch.awakening.added_to(self._monitor.capacity()).resource(self._watch.accepting)
        return JsonResponse(orjson.dumps(capacity), headers={"Cache-Control": "no-store"})

    @route(
        "GET",
        "/metrics",
        Operation(
            "metrics",
            "service",
            "Metrics of all processes together, for Prometheus",
            {
                200: ResponseSchema(
                    "Prometheus text format, or OpenMetrics by Accept", {"type": "string"}, "*/*"
                )
            },
            (503,),
        ),
    )
    def metrics(self, request: ApiRequest) -> JsonResponse:
        self._access_log.flush()  # so that a caller sees the requests that it has just made
        registry = CollectorRegistry()
        samples = self._access_log.metrics.read()
        measured = Measured(
            self._monitor.capacity(),
            self._watch.accepting,
            self._outbox.pending(),
            self._monitor.memory(),
            self._files.disk(),
        )
        registry.register(MetricsCollector(samples, measured))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return JsonResponse(encode(registry), content_type=content_type)


class Measured(NamedTuple):
    """What the gauges show; there is no disk where files are in S3."""

    capacity: Capacity
    accepting: bool
    webhooks: PendingWebhooks
    memory: Memory
    disk: Disk | None


class MetricsCollector(Collector):
    """Gives the samples in the form that the Prometheus client writes."""

    def __init__(self, samples: dict[str, Samples], measured: Measured) -> None:
        self._samples = samples
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        for name, help_, value in self._gauges():
            yield GaugeMetricFamily(PREFIX + name, help_, value=value)
        for family in FAMILIES:
            samples = self._samples.get(family.name, {})
            yield _histogram(family, samples) if family.buckets else _counter(family, samples)

    def _gauges(self) -> Iterator[tuple[str, str, float]]:
        capacity, webhooks = self._measured.capacity, self._measured.webhooks
        yield "jobs_waiting", "Predictions that no worker has claimed.", capacity.waiting
        yield "rows_waiting", "Rows of those predictions.", capacity.rows
        yield "jobs_claimed", "Predictions that child processes of workers have claimed.", capacity.claimed
        yield "oldest_age_seconds", "Age of the prediction that has waited longest.", capacity.oldest_seconds
        yield "workers", "Live workers.", capacity.workers
        yield "children", "Live child processes of workers.", len(capacity.children)
        yield "web_processes", "Live web processes.", len(capacity.webs)
        yield (
            "rows_per_second",
            "Rows a second that all child processes together score while they have work.",
            capacity.rows_per_second,
        )
        yield "accepting", "Whether a prediction would be accepted now.", self._measured.accepting
        yield "webhooks_pending", "Webhooks that are not delivered yet.", webhooks.number
        yield (
            "webhook_oldest_age_seconds",
            "How long the oldest of them has waited.",
            webhooks.oldest_seconds,
        )
        yield from self._gauges_of_batches()
        yield from self._gauges_of_room()

    def _gauges_of_batches(self) -> Iterator[tuple[str, str, float]]:
        batches = self._measured.capacity.batches
        yield "batches_open", "Batches that have not ended.", batches.open
        yield "chunks_waiting", "Chunks of batches that no worker has claimed.", batches.waiting
        yield "chunks_claimed", "Chunks that child processes of workers have claimed.", batches.claimed
        yield ("chunk_oldest_age_seconds", "How long the next chunk has been queued.", batches.oldest_seconds)
        yield "batch_children", "Live child processes of workers for batches.", len(batches.children)
        yield (
            "batch_rows_per_second",
            "Rows a second that all child processes for batches together score while they have work.",
            batches.rows_per_second,
        )

    def _gauges_of_room(self) -> Iterator[tuple[str, str, float]]:
        memory, disk = self._measured.memory, self._measured.disk
        yield "redis_memory_bytes", "What Redis uses.", memory.used
        yield "redis_most_memory_bytes", "What Redis may use; 0 without a limit.", memory.most
        if disk:
            yield "files_free_bytes", "What is free on the disk of the file store.", disk.free
            yield "files_disk_bytes", "The size of that disk.", disk.total


def _counter(family: Family, samples: Samples) -> Metric:
    metric = CounterMetricFamily(PREFIX + family.name, family.help, labels=family.labels)
    never = {} if family.labels else {(): 0.0}
    for labels, value in sorted((never | samples).items()):
        metric.add_metric(labels, value)
    return metric


def _histogram(family: Family, samples: Samples) -> Metric:
    metric = HistogramMetricFamily(PREFIX + family.name, family.help, labels=family.labels)
    for labels in sorted({key[:-1] for key in samples}):
        total, buckets = 0.0, []
        for end in (*map(str, family.buckets), "inf"):
            total += samples.get((*labels, end), 0)
            buckets.append(("+Inf" if end == "inf" else end, total))
        metric.add_metric(labels, buckets, samples.get((*labels, SUM), 0))
    return metric
