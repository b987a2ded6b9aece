"""A dead letter as operators see it."""

from typing import Any

import orjson

from jobs import ids
from jobs.batches.record import BatchRecord
from jobs.dead.letters import DeadLetter
from jobs.predictions.record import PredictionRecord
from jobs.webhooks.delivery import WEBHOOK, Delivery, target_of

PATH = "/v1/dead"


def dead_letter(letter: DeadLetter) -> dict[str, Any]:
    path = f"{PATH}/{letter.id}"
    return {
        "id": letter.id,
        "object": "dead_letter",
        **_of(letter.given),
        "given_up_at": ids.rfc3339(letter.time),
        "urls": {"self": path, "replay": f"{path}/replay"},
    }


def _of(given: PredictionRecord | BatchRecord | Delivery) -> dict[str, Any]:
    match given:
        case Delivery():
            last = orjson.loads(given.attempts[-1])
            outcome = f"answered {last['status']}" if last["status"] else f"gave no answer ({last['error']})"
            what = "webhook" if target_of(given.name) == WEBHOOK else "event"
            return {
                "kind": "delivery",
                "job": given.job_id,
                "owner": given.owner,
                "model": None,
                "reason": {"type": f"{what}_not_delivered", "detail": f"the receiver {outcome}"},
                "attempts": len(given.attempts),
                "created_at": ids.rfc3339(given.created),
            }
        case PredictionRecord():
            return {"kind": "prediction", **_of_job(given), "attempts": given.attempt}
        case BatchRecord():
            return {"kind": "batch", **_of_job(given), "attempts": None}


def _of_job(record: PredictionRecord | BatchRecord) -> dict[str, Any]:
    return {
        "job": record.id,
        "owner": record.owner,
        "model": ids.model_of(record.model, record.sha256),
        "reason": orjson.loads(record.error or b"null"),
        "created_at": ids.rfc3339(ids.created_ms(record.id)),
    }
