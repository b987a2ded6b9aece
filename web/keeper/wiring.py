"""Builds the keeper of workers from its parts; none where no service of workers is named."""

import time
from collections.abc import Callable
from typing import NamedTuple

from redis import Redis

from jobs.keeper.hours import WarmHours
from jobs.keeper.store import KeeperStore
from jobs.metrics import Metrics
from jobs.queues.capacity import Monitor
from jobs.settings import Settings
from jobs.supervision import Supervisor
from web.keeper.awakening import Awakening, Waker
from web.keeper.keeper import Keeper, LimitsByHour
from web.keeper.report import MinuteReport, read_totals
from web.keeper.services import WorkerServices


class KeptWorkers(NamedTuple):
    """What each web process has where workers may sleep."""

    awakening: Awakening
    waker: Waker
    keeper: Keeper

    def start(self, supervisor: Supervisor) -> None:
        supervisor.start("waker", self.waker.run)
        supervisor.start("keeper", self.keeper.run)


def keep_workers(
    settings: Settings,
    redis: Redis,
    services: WorkerServices,
    monitor: Monitor,
    metrics: Metrics,
    sleep: Callable[[float], object],
) -> KeptWorkers:
    memory = KeeperStore(redis)
    awakening = Awakening(memory, settings.waking_wait_seconds)
    keeper = Keeper(
        memory,
        services,
        LimitsByHour(
            settings.least_workers,
            settings.most_workers,
            WarmHours(settings.warm),
            settings.within_seconds,
            settings.idle_seconds,
        ),
        monitor.capacity,
        lambda: read_totals(metrics),
        MinuteReport(settings.worker_service.partition("/")[0], monitor.memory, time.time),
        sleep,
    )
    return KeptWorkers(
        awakening, Waker(awakening, memory, services, bool(settings.worker_spot_service)), keeper
    )
