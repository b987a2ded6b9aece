"""The status tables of both kinds of job."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from jobs.batches.status import BATCH_TRANSITIONS, BatchStatus
from jobs.predictions.status import TRANSITIONS, PredictionStatus

ENDED = {"succeeded", "partially_succeeded", "failed", "canceled", "expired"}
TABLES = [
    (PredictionStatus, TRANSITIONS, PredictionStatus.QUEUED),
    (BatchStatus, BATCH_TRANSITIONS, BatchStatus.VALIDATING),
]


@pytest.mark.parametrize(("statuses", "table", "first"), TABLES)
def test_every_status_can_be_reached_and_the_ended_ones_are_final(
    statuses: type[StrEnum], table: Mapping[Any, frozenset[Any]], first: StrEnum
) -> None:
    reached = {first}
    while more := set().union(*(table[status] for status in reached)) - reached:
        reached |= more
    assert reached == set(statuses) == set(table)
    assert {str(status) for status in statuses if not table[status]} == ENDED


@pytest.mark.parametrize(("statuses", "table", "first"), TABLES)
def test_every_status_leads_to_an_end(
    statuses: type[StrEnum], table: Mapping[Any, frozenset[Any]], first: StrEnum
) -> None:
    leading = {status for status in statuses if not table[status]}
    while more := {status for status in statuses if table[status] & leading} - leading:
        leading |= more
    assert leading == set(statuses)
