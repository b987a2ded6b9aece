"""Celery as both sides configure it: it carries wake-ups, and nothing else."""

from celery import Celery
from kombu.entity import Queue as CeleryQueue

from jobs.queues.names import PREDICTIONS, QUEUES
from jobs.settings import Settings


def make_celery(settings: Settings) -> Celery:
    """No result backend, no pickle, no remote control: a message can only name a task of ours."""
    celery = Celery("paygrade", broker=settings.redis_url.get_secret_value(), set_as_current=False)
    queues = [CeleryQueue(queue.name) for queue in QUEUES if queue.task]  # type: ignore[no-untyped-call]
    celery.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_default_queue=PREDICTIONS.name,
        task_queues=queues,
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
            # A lost wake-up is made up for, so kombu need not keep those under way in Redis.
            "ack_emulation": False,
        },
    )
    return celery
