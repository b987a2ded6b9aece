"""Callers who post files, each with rows of its own."""

import io
from itertools import pairwise
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tests.chaos.callers import ChaosCaller
from tests.chaos.ledger import Posted
from tests.chaos.town import INPUTS
from tests.integration.models import LADDER, STEPS
from tests.integration.s3 import S3

PADDING = "0" * 500
"""Rows are long, so that a file of few rows has several chunks."""
FORMATS = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def table(kind: str, first: int, rows: int) -> bytes:
    steps = [number % STEPS for number in range(first, first + rows)]
    if kind == "parquet":
        buffer = io.BytesIO()
        filler = pa.array([f"{number}{PADDING}" for number in range(rows)])
        parquet.write_table(pa.table({"step": steps, "filler": filler}), buffer, row_group_size=5_000)
        return buffer.getvalue()
    if kind == "csv":
        return ("step\n" + "\n".join(f"{step}.{PADDING}" for step in steps)).encode()
    return "\n".join(f'{{"step":{step}.{PADDING}}}' for step in steps).encode()


class ChaosBatchCaller(ChaosCaller):
    """Repeats each post with its key until it is answered. Some files it leaves in S3, where there is one."""

    s3: S3 | None = None

    def pause(self) -> float:
        return self.chance.uniform(0.5, 3)

    def call(self, tag: str) -> None:
        kind, results = self.chance.choice(sorted(FORMATS)), self.chance.choice(sorted(FORMATS))
        first, rows = self.chance.randrange(STEPS), self.chance.choice([100, 20_000, 30_000])
        query = f"?model={LADDER}&results={results}"
        in_s3 = self.s3 is not None and self.chance.random() < 0.5
        path = "/v1/batches" if in_s3 else f"/v1/batches{query}"
        posted = self.ledger.wants(Posted(tag, path, first, rows, results=results, key=tag))
        if in_s3:
            files = self._files(kind, first, rows)
            body = self._put(tag, kind, files) | {"results": results}
            answered = self.post(posted, {}, json=body)
        else:
            data = table(kind, first, rows)
            answered = self.post(posted, {"Content-Type": FORMATS[kind]}, data=data)
        if answered:
            self.follow(posted)

    def _files(self, kind: str, first: int, rows: int) -> list[bytes]:
        """The rows in one file, or in several."""
        number = self.chance.choice([1, 1, 3])
        edges = [rows * part // number for part in range(number + 1)]
        return [table(kind, first + start, end - start) for start, end in pairwise(edges)]

    def _put(self, tag: str, kind: str, files: list[bytes]) -> dict[str, Any]:
        assert self.s3
        for number, data in enumerate(files):
            self.s3.client.put_object(Bucket=INPUTS, Key=f"in/{tag}/{number}.{kind}", Body=data)
        name = f"0.{kind}" if len(files) == 1 else self.chance.choice(["", f"?.{kind}"])
        return {"model": LADDER, "input": f"s3://{INPUTS}/in/{tag}/{name}", "output": f"s3://{INPUTS}/out"}
