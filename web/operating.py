"""What operators ask for: how things stand, and the metrics of all processes together."""

from collections.abc import Iterator

import orjson
from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from jobs.metrics import FAMILIES, SUM, Family
from jobs.predictions import resource
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from web.admission import Admission
from web.answer import Answer
from web.keys import Keys
from web.preferences import require_json_wanted
from web.problems import Problem
from web.trace import Trace

Samples = dict[tuple[str, ...], float]
PREFIX = "paygrade_"


def operating(keys: Keys, store: PredictionStore, door: Admission, trace: Trace) -> Blueprint:
    routes = Blueprint("operating", __name__)

    @routes.get("/v1/capacity")
    def capacity() -> Response:
        keys.owner_of(request)
        require_json_wanted(request)
        now = resource.capacity(store.capacity(), door.is_open)
        return Answer(orjson.dumps(now), headers={"Cache-Control": "no-store"})

    @routes.get("/metrics")
    def exposition() -> Response:
        if not keys.owner_of(request).may_operate:
            raise Problem(403, "metrics are for keys with :operate in PAYGRADE_API_KEYS")
        trace.flush()  # of this process, for who asks right after he did something
        registry = CollectorRegistry()
        registry.register(Collected(trace.metrics.read(), store.capacity(), door.is_open))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Answer(encode(registry), content_type=content_type)

    return routes


class Collected(Collector):
    """As Prometheus wants it."""

    def __init__(self, counted: dict[str, Samples], capacity: Capacity, is_open: bool) -> None:
        self._counted = counted
        self._capacity = capacity
        self._is_open = is_open

    def collect(self) -> Iterator[Metric]:
        for name, help_, value in self._gauges():
            yield GaugeMetricFamily(PREFIX + name, help_, value=value)
        for family in FAMILIES:
            samples = self._counted.get(family.name, {})
            yield _histogram(family, samples) if family.buckets else _counter(family, samples)

    def _gauges(self) -> Iterator[tuple[str, str, float]]:
        capacity = self._capacity
        yield "jobs_waiting", "Jobs in the line that nobody has claimed.", capacity.waiting
        yield "rows_waiting", "Rows of those jobs.", capacity.rows
        yield "jobs_claimed", "Jobs that children of workers are at.", capacity.claimed
        yield "oldest_age_seconds", "Age of the job that has waited longest.", capacity.oldest_seconds
        yield "workers", "Workers that live.", capacity.workers
        yield "children", "Children of workers that live.", len(capacity.children)
        yield "web_processes", "Web processes that live.", len(capacity.webs)
        yield (
            "rows_per_second",
            "What all children together score while they have work.",
            capacity.rows_per_second,
        )
        yield "accepting", "Whether a job would be accepted now.", self._is_open
        yield from self._gauges_of_batches()

    def _gauges_of_batches(self) -> Iterator[tuple[str, str, float]]:
        batches = self._capacity.batches
        yield "batches_open", "BatchRoutes that have not ended.", batches.open
        yield "chunks_waiting", "Chunks of batches that nobody has claimed.", batches.waiting
        yield "chunks_claimed", "Chunks that children of workers are at.", batches.claimed
        yield (
            "chunk_oldest_age_seconds",
            "How long the next chunk has been in the line.",
            batches.oldest_seconds,
        )
        yield "batch_children", "Children of workers for batches that live.", len(batches.children)
        yield (
            "batch_rows_per_second",
            "What all children for batches together score while they have work.",
            batches.rows_per_second,
        )


def _counter(family: Family, samples: Samples) -> Metric:
    metric = CounterMetricFamily(PREFIX + family.name, family.help, labels=family.labels)
    for labels, value in sorted(samples.items()):
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
