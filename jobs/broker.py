"""Celery as both sides set it up: it carries wake_ups, and nothing else."""

import logging
from collections.abc import Callable
from typing import TypeAlias

from celery import Celery
from kombu.entity import Queue

from jobs.queues.names import BATCHES, PREDICTIONS, SCORE_BATCHES, SCORE_PREDICTIONS
from jobs.settings import Settings

log = logging.getLogger(__name__)

SendWakeUp: TypeAlias = Callable[[str], None]
"""Sends the wake_up of this name."""


def make_celery(settings: Settings) -> Celery:
    """No result backend, no pickle, no remote control: a message can only name a task of ours."""
    celery = Celery("paygrade", broker=settings.redis_url.get_secret_value(), set_as_current=False)
    celery.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_default_queue=PREDICTIONS,
        task_queues=[Queue(name) for name in (PREDICTIONS, BATCHES)],  # type: ignore[no-untyped-call]
        task_create_missing_queues=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_prefetch_multiplier=1,
        worker_proc_alive_timeout=120,  # a child loads a model before it is up, perhaps from a cold disk
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=2,
        broker_transport_options={
            "socket_connect_timeout": 0.5,
            "socket_timeout": 5,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        },
    )
    return celery


def ring(celery: Celery, wake_up: str) -> None:
    """Sends the wake_up; raises kombu's OperationalError if Redis is away."""
    celery.send_task(SCORE_PREDICTIONS, task_id=wake_up, queue=PREDICTIONS, ignore_result=True, retry=False)


def send_batch_wake_up(celery: Celery, wake_up: str) -> None:
    """Likewise, for those who score batches."""
    celery.send_task(SCORE_BATCHES, task_id=wake_up, queue=BATCHES, ignore_result=True, retry=False)


def try_wake_up(ring: SendWakeUp, wake_up: str) -> None:
    """Rings; if that is not to be, it does no harm, since the sweeper rings for whatever waits unheard."""
    try:
        ring(wake_up)
    except Exception as error:
        log.warning("bell_lost", extra={"error": type(error).__name__})
