"""What can be typed, and what is said to everything else."""

from collections.abc import Sequence

import pytest
from paygrade.commands import COMMANDS
from paygrade.commands.arguments import Command

from tests.unit.client.conftest import Paygrade
from tests.unit.client.played_service import ID


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in COMMANDS.items():
        below: Sequence[Command] = () if isinstance(command, Command) else command
        found += [(name, each.name) for each in below] or [(name,)]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_examples(paygrade: Paygrade, words: tuple[str, ...]) -> None:
    status, said, _ = paygrade(*words, "--help")
    assert status == 0
    assert f"  paygrade {' '.join(words)}" in said.partition("examples:")[2]
    assert ("--url" in said) != (words == ("save",))


def test_the_help_explains_exit_statuses_and_environment(paygrade: Paygrade) -> None:
    said = paygrade("--help")[1]
    assert "exit status:" in said
    assert "PAYGRADE_URL" in said


@pytest.mark.parametrize(
    "typed",
    [
        (),
        ("nix",),
        ("jobs",),
        ("jobs", "show"),
        ("jobs", "show", "pred_x"),
        ("jobs", "show", f"job{ID}"),
        ("jobs", "show", ID, "--key", "clear"),
        ("jobs", "show", ID, "--url", "localhost:8000"),
        ("jobs", "show", ID, "--url", "http://user:word@localhost"),
        ("jobs", "show", ID, "--url", "http://localhost:99999"),
        ("jobs", "show", ID, "--key-file", "no/such/file"),
        ("jobs", "list", "--status", "done"),
        ("jobs", "list", "--kind", "file"),
        ("jobs", "list", "--limit", "0"),
        ("jobs", "cancel", ID, "pred_x"),
        ("watch", "--every", "0"),
        ("watch", "--every", "nan"),
        ("predict",),
        ("predict", "years"),
        ("predict", "=1"),
        ("predict", "years=1", "years=2"),
        ("predict", "years=1", "--row"),
        ("predict", "years=1", "--timeout", "-1"),
        ("jobs", "results"),
        ("jobs", "results", "pred_x"),
        ("watch", "pred_x"),
        ("score",),
        ("score", "no/such/file"),
        ("score", "people.csv", "--json"),
        ("score", "people.csv", "--results", "xlsx"),
        ("save",),
        ("save", "train.py:pipeline", "out", "--name", "flats", "--target", "rent"),
        ("save", "train.py", "out", "--name", "flats", "--target", "rent", "--sample", "train.py:flats"),
        ("save", "no.py:pipeline", "out", "--name", "flats", "--target", "rent", "--sample", "no.py:flats"),
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_one_line_and_exit_2(paygrade: Paygrade, typed: tuple[str, ...]) -> None:
    status, out, err = paygrade(*typed)
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(("name", "value"), [("PAYGRADE_URL", "nowhere"), ("PAYGRADE_API_KEY", "ä")])
def test_so_are_wrong_settings(
    paygrade: Paygrade, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    status, out, err = paygrade("jobs", "list")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "ä" not in err
