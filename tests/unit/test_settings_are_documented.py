"""`.env.example` is where settings are explained, so it and the code must say the same."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.settings import PREFIX, Settings

EXAMPLE = Path(".env.example").read_text()


def documented() -> dict[str, str]:
    lines = (line for line in EXAMPLE.splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def name_of(field: str) -> str:
    return "REDIS_URL" if field == "redis_url" else PREFIX + field.upper()


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert set(documented()) == {name_of(field) for field in Settings.model_fields}


@pytest.mark.parametrize(
    "field", [f for f, info in Settings.model_fields.items() if not info.default_factory]
)
def test_the_documented_default_is_the_default(field: str) -> None:
    default = Settings.model_fields[field].default
    shown = default.get_secret_value() if isinstance(default, SecretStr) else default
    assert documented()[name_of(field)] == (str(shown).lower() if isinstance(shown, bool) else str(shown))


def test_every_setting_has_a_paragraph() -> None:
    paragraphs = EXAMPLE.split("\n\n")
    for name in documented():
        [paragraph] = [text for text in paragraphs if f"\n{name}=" in text]
        assert paragraph.startswith("# ")
