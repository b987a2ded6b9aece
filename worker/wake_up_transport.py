"""Celery's transport to Redis, which drops what is no wake-up before Celery looks into it.

Redis is not trusted: of a message only the name of the wake-up is used, in a message that is made here.
"""

import base64
import logging
import re
from typing import Any
from uuid import uuid4

from kombu.transport.redis import Channel, Transport

from jobs.queues.names import QUEUES

log = logging.getLogger(__name__)

_TASKS = {queue.name: queue.task for queue in QUEUES if queue.task}
_NAME = re.compile(r"[0-9a-f]{32}(-[0-9]{1,4})?")
_BODY = base64.b64encode(b"[[], {}, {}]").decode()


class WakeUpChannel(Channel):
    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (ValueError, RecursionError):  # it was no JSON, and is out of the list by now
            _drop()
            return True


class WakeUpTransport(Transport):
    Channel = WakeUpChannel

    def _deliver(self, message: Any, queue: str) -> None:
        if (name := name_of(message, queue)) is None:
            _drop()
        else:
            super()._deliver(wake_up(name, queue), queue)  # type: ignore[no-untyped-call]


def name_of(message: Any, queue: str) -> str | None:
    """The name of a wake-up for this queue; None for any other message."""
    headers = message.get("headers") if isinstance(message, dict) else None
    if not isinstance(headers, dict) or headers.get("task") != _TASKS.get(queue, headers):
        return None
    name = headers.get("id")
    return name if isinstance(name, str) and _NAME.fullmatch(name) else None


def wake_up(name: str, queue: str) -> dict[str, Any]:
    """The message as Celery expects it: it starts the task of the queue, without arguments or options."""
    return {
        "body": _BODY,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": _TASKS[queue], "id": name, "root_id": name, "retries": 0},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
            "delivery_info": {"exchange": "", "routing_key": queue},
        },
    }


def _drop() -> None:
    log.error("message_dropped")
