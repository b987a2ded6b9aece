"""Values of rows as they are sent: the same value, or the same fault, as the caller has it."""

import enum
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from paygrade import InvalidInput
from paygrade.calling.requests import as_json
from paygrade.values import plain, plain_row


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (np.float32(0.1), 0.10000000149011612),
        (np.float64(0.1), 0.1),
        (np.int8(3), 3),
        (np.bool_(False), False),
        (np.str_("a"), "a"),
        (np.datetime64("2026-11-28"), "2026-11-28"),
        (np.datetime64("NaT"), None),
        (np.array(2.5), 2.5),
        (pd.NA, None),
        (pd.NaT, None),
        (float("nan"), None),
        (float("-inf"), "-inf"),
        (Level.HIGH, 3),
        (2**70, 2**70),
        (1e-320, 1e-320),
        (["nested"], ["nested"]),
    ],
    ids=repr,
)
def test_a_value_is_sent_as_what_it_is(value: Any, sent: Any) -> None:
    assert json.loads(as_json(plain(value, "years"))) == sent


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j, np.array([1, 2])], ids=type)
def test_a_value_that_json_has_no_word_for_is_refused_by_the_name_of_its_column(value: Any) -> None:
    with pytest.raises(InvalidInput, match=f"years has a value of the type {type(value).__name__}"):
        plain_row({"years": value})


def test_half_of_a_surrogate_pair_is_sent_as_what_it_is() -> None:
    assert as_json({"name": "grün \ud800"}) == '{"name":"grün \\ud800"}'.encode()
