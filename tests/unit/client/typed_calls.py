"""What a type checker knows of calls: mypy checks this file with all others, and nothing runs it."""

from collections.abc import AsyncGenerator, Iterator
from typing import assert_type

import pandas as pd
from paygrade import AsyncClient, Client, Job, Model, Output, Row


def calls_that_block(client: Client, row: Row, table: list[int]) -> None:
    assert_type(client.predict(row), Output)
    assert_type(client.predict([row], wait=5, on_failed="raise"), list[Output])
    assert_type(client.submit(row, model="salary"), Job)
    assert_type(client.wait("pred_…", 5), Job)
    assert_type(client.list(kind="batch"), list[Job])
    assert_type(client.model(), Model)
    assert_type(client.results("batch_…"), Iterator[Row])
    assert_type(client.score(table), list[int])
    client.predict(row, wiat=5)  # type: ignore[call-overload]
    client.upload("people.csv", modle="salary")  # type: ignore[call-arg]
    client.wait()  # type: ignore[call-arg]


async def calls_that_are_awaited(client: AsyncClient, row: Row, table: pd.DataFrame) -> None:
    assert_type(await client.predict(row), Output)
    assert_type(await client.predict([row]), list[Output])
    assert_type(await client.submit(table), Job)
    assert_type(client.errors("batch_…"), AsyncGenerator[Row, None])
    assert_type(await client.score_file("people.csv", "scored.csv", results="csv"), Job)
