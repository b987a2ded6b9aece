"""What predictions and batches have in common: the list of all, and the operations on one by its id."""

from enum import StrEnum
from typing import NamedTuple

from web.openapi.operation import Answer, Operation
from web.openapi.parameters import LIMIT, Parameter, in_path, in_query

_STORED = (404, 410, 503)


class Kind(NamedTuple):
    """`one` and `all` are its names in texts and paths, `ids` is the pattern of its ids."""

    one: str
    all: str
    ids: str
    states: type[StrEnum]

    @property
    def path(self) -> str:
        return f"/v1/{self.all}"

    def listed(self, summary: str, page: str) -> Operation:
        status = in_query("status", "Only those of this status", type="string", enum=list(self.states))
        cursor = in_query("cursor", "`next_cursor` of the page before", type="string", pattern=self.ids)
        return Operation(
            "get",
            self.path,
            f"list{self.all.title()}",
            self.all,
            summary,
            {200: Answer("A page", page, always=("Cache-Control",))},
            (406, 503),
            parameters=(status, LIMIT, cursor),
        )

    def of_one(
        self,
        method: str,
        path: str,
        operation: str,
        summary: str,
        answers: dict[int, Answer],
        problems: tuple[int, ...],
        *parameters: Parameter,
    ) -> Operation:
        """`path` goes on behind that of the job, `problems` beside those of any id."""
        return Operation(
            method,
            f"{self.path}/{{job_id}}{path}",
            operation,
            self.all,
            summary,
            answers,
            (*problems, *_STORED),
            parameters=(in_path("job_id", f"`id` of the {self.one}", {"type": "string"}), *parameters),
        )
