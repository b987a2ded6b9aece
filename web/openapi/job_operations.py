"""The operations that predictions and batches have in common: the list, and those on one job."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from jobs.batches.status import BatchStatus
from jobs.predictions.status import PredictionStatus
from web.openapi.batch_schemas import BATCH_ID
from web.openapi.operation import Operation, ResponseSchema
from web.openapi.parameters import LIMIT, Parameter, in_path, in_query
from web.openapi.schemas import JOB_ID

_STORED = (404, 410, 503)


class JobOperations(NamedTuple):
    """`one` and `many` name the kind of job, `ids` is the pattern of its ids."""

    one: str
    many: str
    ids: str
    statuses: type[StrEnum]

    def list(self, summary: str, page: type) -> Operation:
        status = in_query("status", "Only jobs with this status", type="string", enum=[*self.statuses])
        cursor = in_query("cursor", "`next_cursor` of the previous page", type="string", pattern=self.ids)
        return Operation(
            f"list{self.many.title()}",
            self.many,
            summary,
            {200: ResponseSchema("A page", page, always=("Cache-Control",))},
            (406, 503),
            parameters=(status, LIMIT, cursor),
        )

    def on_one(
        self,
        operation_id: str,
        summary: str,
        responses: Mapping[int, ResponseSchema],
        problems: Sequence[int],
        *parameters: Parameter,
    ) -> Operation:
        """`problems` are the statuses that are added to those of any operation with an id."""
        return Operation(
            operation_id,
            self.many,
            summary,
            responses,
            (*problems, *_STORED),
            parameters=(in_path("job_id", f"`id` of the {self.one}", {"type": "string"}), *parameters),
        )


ON_PREDICTIONS = JobOperations("prediction", "predictions", JOB_ID, PredictionStatus)
ON_BATCHES = JobOperations("batch", "batches", BATCH_ID, BatchStatus)
