"""What a webhook or an event says: its type, when it happened, and the resource of the job."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson

from jobs import ids
from jobs.batches import resource as batch_resource
from jobs.batches.record import BatchRecord
from jobs.predictions import resource as prediction_resource
from jobs.predictions.record import PredictionRecord
from jobs.queues.capacity import Capacity
from jobs.webhooks.delivery import ClaimedDelivery

LONGEST_OUTPUTS = 16_384
"""Bytes of the outputs of a prediction; longer ones are omitted, and the receiver reads the resource."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
ReadJobs = Callable[..., Sequence[Any]]


class Payloads:
    """`read` has a function for the ids that begin with each prefix."""

    def __init__(self, read: dict[str, ReadJobs], capacity: Callable[[], Capacity]) -> None:
        self._read = read
        self._capacity = capacity

    def of(self, claimed: ClaimedDelivery, first: Mapping[str, str] = _NOTHING) -> bytes:
        """The payload as JSON. It is the same at each attempt, until the job is removed at its expiry.

        It begins with the members `first`.
        """
        prefix = ids.BATCH if claimed.job_id.startswith(ids.BATCH) else ids.PREDICTION
        [record] = self._read[prefix]([claimed.job_id])
        payload: dict[str, Any] = {"type": claimed.type, "timestamp": ids.rfc3339(claimed.created)}
        match record:
            case PredictionRecord():
                if len(record.outputs or b"") > LONGEST_OUTPUTS:
                    record, payload["omitted"] = record._replace(outputs=None), _name_of(record.outputs)
                data = prediction_resource.prediction(record, self._capacity())
            case BatchRecord():
                data = batch_resource.batch(record)
            case _:
                kind = claimed.type.partition(".")[0]
                data = orjson.dumps({"id": claimed.job_id, "object": kind, "status": claimed.event})
                payload["omitted"] = ["all else: the job has expired and was removed"]
        return orjson.dumps({**first, **payload, "data": orjson.Fragment(data)})


def _name_of(outputs: bytes | None) -> list[str]:
    return ["outputs" if (outputs or b"").startswith(b"[") else "output"]
