"""What may be typed, and what is said to the rest."""

import pytest

from jobs.__main__ import VERBS
from tests.unit.jobs.cli.conftest import Jobs

ID = "pred_01a20185-eaa7-7fbf-80d5-252d88bcb074"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(jobs: Jobs, verb: str) -> None:
    status, said, _ = jobs(verb, "--help")
    assert status == 0
    assert f"  python -m jobs {verb}" in said or f" python -m jobs {verb}" in said.partition("examples:")[2]
    assert "--json" in said


def test_the_help_says_what_an_exit_status_means(jobs: Jobs) -> None:
    assert "exit status:" in jobs("--help")[1]


@pytest.mark.parametrize(
    "typed",
    [
        (),
        ("nix",),
        ("show",),
        ("show", "pred_x"),
        ("show", ID, "--redis", "--url", "http://localhost"),
        ("show", ID, "--key", "clear"),
        ("show", ID, "--url", "localhost:8000"),
        ("show", ID, "--url", "http://user:word@localhost"),
        ("show", ID, "--url", "http://localhost:99999"),
        ("show", ID, "--key-file", "no/such/file"),
        ("list", "--status", "done"),
        ("list", "--limit", "0"),
        ("list", "--owner", "ann"),
        ("list", "--redis"),
        ("cancel", ID, "pred_x"),
        ("delete", ID, "--redis"),
        ("watch", "--every", "0"),
        ("watch", "--every", "nan"),
        ("score",),
        ("score", "--row"),
        ("score", "--row", "years"),
        ("score", "--row", "=1"),
        ("score", "--row", "years=1", "years=2"),
        ("score", "--row", "years=1", "--timeout", "-1"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_is_one_line_and_2(jobs: Jobs, typed: tuple[str, ...]) -> None:
    status, out, err = jobs(*typed)
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        (("--row", "years=1"), ("--output", "scored.csv")),
        (("--row", "years=1"), ("--include-inputs",)),
        (("people.csv",), ("--json",)),
        (("people.csv",), ("--timeout", "5")),
    ],
    ids=lambda words: " ".join(words),
)
def test_an_option_of_score_that_would_have_no_effect_is_refused(
    jobs: Jobs, given: tuple[str, ...], option: tuple[str, ...]
) -> None:
    status, _, err = jobs("score", *given, *option)
    assert status == 2
    assert err.startswith(f"jobs: {option[0]} goes with ")


@pytest.mark.parametrize(
    "setting", [{"PAYGRADE_URL": "nowhere"}, {"PAYGRADE_KEYS": "x"}, {"PAYGRADE_KEY": "ä"}]
)
def test_so_is_a_bad_setting(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]) -> None:
    [(name, value)] = setting.items()
    monkeypatch.setenv(name, value)
    status, out, err = jobs("list")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "ä" not in err
