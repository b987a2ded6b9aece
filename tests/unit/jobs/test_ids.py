"""An id names a kind of job and the time at which it was made; any other text is refused."""

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.errors import InvalidId
from jobs.ids import BATCH, PREDICTION, check, created_ms, new_id, older_than, raw

SECONDS = st.integers(0, 2**48 // 1000 - 1)
GOOD = "pred_01a200d2-21c9-7846-85a5-7355eacb0e45"


def id_made_at(seconds: float) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: seconds)
        return new_id(PREDICTION)


@given(SECONDS)
def test_an_id_is_a_uuid_of_version_7(seconds: int) -> None:
    made = id_made_at(seconds)
    prefix, _, text = made.partition("_")
    value = uuid.UUID(text)
    assert prefix == "pred"
    assert str(value) == text
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    check(made)


@given(SECONDS)
def test_an_id_holds_the_time_at_which_it_was_made(seconds: int) -> None:
    assert created_ms(id_made_at(seconds)) == seconds * 1000


@given(SECONDS, SECONDS)
def test_ids_sort_by_time(first: int, second: int) -> None:
    if first != second:
        assert (id_made_at(first) < id_made_at(second)) == (first < second)


def test_ids_of_one_moment_differ() -> None:
    assert len({id_made_at(5) for _ in range(1000)}) == 1000


@given(st.text())
@example("")
@example("pred_")
@example(GOOD.removeprefix("pred_"))
@example(GOOD.replace("pred", "batch"))
@example(GOOD.upper())
@example("pred_" + GOOD[5:].upper())
@example(GOOD + "0")
@example(GOOD + "\n")
@example(" " + GOOD)
@example(GOOD.replace("-", ""))
@example("pred_{" + GOOD[5:] + "}")
@example("pred_urn:uuid:" + GOOD[5:])
@example("pred_" + GOOD)
@example(GOOD.replace("-7", "-4"))
@example(GOOD.replace("-85", "-c5"))
@example(GOOD.replace("0e45", "0e4\u0665"))
@example(GOOD.replace("0e45", "0_45"))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        check(text)


@given(st.uuids(version=4) | st.uuids(version=1))
def test_another_version_of_uuid_is_refused(value: uuid.UUID) -> None:
    with pytest.raises(InvalidId):
        check(f"pred_{value}")


def test_the_error_for_an_id_of_another_kind_names_the_kind_that_is_expected() -> None:
    with pytest.raises(InvalidId, match="must be pred_ followed by a UUIDv7"):
        check(new_id(BATCH))


def test_the_raw_id_is_its_sixteen_bytes() -> None:
    assert raw(GOOD) == uuid.UUID(GOOD[5:]).bytes


def test_older_than_compares_with_the_time_in_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    made = id_made_at(1_000)
    monkeypatch.setattr("time.time", lambda: 1_500.0)
    assert not older_than(made, 500_000)
    assert older_than(made, 499_999)
