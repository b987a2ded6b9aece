"""Events of S3 as EventBridge passes them on: the example of its documents, of other objects.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
from typing import Any

ETAG = "b1946ac92492d2347c6235b4d2611184"
SEQUENCER = "617f08299329d189"


def created(key: str = "input/people.csv", etag: str = ETAG, sequencer: str = SEQUENCER, **more: Any) -> str:
    """`more` are further members of the object, as `version_id`."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    detail = {
        "version": "0",
        "bucket": {"name": "salaries"},
        "object": {"key": key, "size": 5, "etag": etag, "sequencer": sequencer, **named},
        "request-id": "N4N7GDK58NMKJ12R",
        "requester": "123456789012",
        "source-ip-address": "1.2.3.4",
        "reason": "PutObject",
    }
    event = {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2021-11-12T00:00:00Z",
        "region": "ca-central-1",
        "resources": ["arn:aws:s3:::salaries"],
        "detail": detail,
    }
    return json.dumps(event)
