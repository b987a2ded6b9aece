"""Helpers that post batches."""

from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from werkzeug.test import TestResponse

from jobs.batches.consumer import BatchConsumer
from tests.unit.web.site import CHANNEL, Site

CSV = b"id,years\na,2.5\nb,many\nc,12.5\n"
RESULT = b"""\
id,prediction,warnings,error
a,260.00012,,
b,,,years must be a number
c,749.99884,years is above what training saw (1 to 12),
"""


def post(
    site: Site, body: bytes = CSV, kind: str = "text/csv", query: str = "", **headers: str
) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.post(f"/v1/batches{query}", data=body, content_type=kind, headers=named)


def posted(site: Site, *args: Any, **more: Any) -> str:
    """The path of a batch that has been accepted."""
    response = post(site, *args, **more)
    assert response.status_code == 202, response.text
    path: str = response.headers["Location"]
    return path


def sweep(site: Site) -> None:
    """A worker removes the files whose time has come."""
    site.redis.delete("queue:batches:swept")
    consumer = BatchConsumer(site.redis, site.settings)
    for expired in consumer.sweep(1).removable:
        site.files.remove(f"batches/{expired.split()[0].decode()}")
        consumer.files_removed(expired)


def publish_end(site: Site, job_id: str) -> None:
    """The message of an ended batch, which never carries its record."""
    lines = [job_id, "succeeded", "1", "", "1", "1", "-", ""]
    site.redis.publish(CHANNEL, "\n".join(lines))


def damaged(group: int) -> bytes:
    """Three row groups of two rows, one of them damaged."""
    table = pa.table({"id": range(6), "years": [1.5, 2.5, 3.5, 4.5, 5.5, -1e300]})
    written = BytesIO()
    pyarrow.parquet.write_table(table, written, row_group_size=2)
    data = bytearray(written.getvalue())
    column = pyarrow.parquet.read_metadata(written).row_group(group).column(1)
    data[column.dictionary_page_offset : column.dictionary_page_offset + 8] = b"\xff" * 8
    return bytes(data)
