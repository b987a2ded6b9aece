"""The hours in which workers stay warm are read as people write them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from jobs.errors import InvalidSettings
from jobs.keeper.hours import WarmHours
from jobs.settings import load_settings

BERLIN = ZoneInfo("Europe/Berlin")


def seconds(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("moment", "warm"),
    [
        ("2026-11-27 07:59", False),  # a Friday
        ("2026-11-27 08:00", True),
        ("2026-11-27 17:59", True),
        ("2026-11-27 18:00", False),
        ("2026-11-28 12:00", False),
        ("2026-11-30 08:00", True),
    ],
)
def test_office_hours_begin_and_end_on_the_minute(moment: str, warm: bool) -> None:
    assert WarmHours("Mon-Fri 08-18 Europe/Berlin").include(seconds(moment)) is warm


def test_summer_time_moves_the_hours_with_the_clock_on_the_wall() -> None:
    hours = WarmHours("Mon-Sun 08-09 Europe/Berlin")
    utc = ZoneInfo("UTC")
    assert hours.include(seconds("2026-07-01 06:30", utc))
    assert hours.include(seconds("2026-12-01 07:30", utc))
    assert not hours.include(seconds("2026-12-01 06:30", utc))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    hours = WarmHours("Fri 22:30-06 Europe/Berlin")
    assert hours.include(seconds("2026-11-27 23:00"))
    assert hours.include(seconds("2026-11-28 05:59"))
    assert not hours.include(seconds("2026-11-28 22:45"))
    assert not hours.include(seconds("2026-11-27 05:00"))


def test_days_may_go_round_the_week_and_spans_may_be_several() -> None:
    hours = WarmHours("Sat-Mon 00-24 UTC, wed 09-10 Europe/Berlin")
    assert hours.include(seconds("2026-11-29 12:00"))
    assert hours.include(seconds("2026-11-25 09:30"))
    assert not hours.include(seconds("2026-11-25 10:30"))


def test_always_and_never() -> None:
    assert WarmHours("always").include(0)
    assert not WarmHours("never").include(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "office",
        "Mon-Fri",
        "Mon-Fri 08-18",
        "Mon-Fri 08-08 UTC",
        "Mon-Fri 08-25 UTC",
        "Mon-Fri 24:30-08 UTC",
        "Mon-Fri 08-18 Europe/Berlim",
        "Mon-Fri 08-18 /etc/passwd",
        "Mon-Fri 08-18 ../UTC",
        "Mondays 08-18 UTC",
        "Foo 08-18 UTC",
    ],
)
def test_other_texts_stop_the_start_with_one_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRADE_WARM", text or " ")
    with pytest.raises(InvalidSettings, match="PAYGRADE_WARM: must be always, never, or as in Mon-Fri 08-18"):
        load_settings()
