"""How far a file is: shown where somebody looks, and nowhere else."""

import io
import sys
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest
from paygrade import Client
from paygrade.progress import ProgressLine, progress_line, time_left

from tests.unit.client.any_client import HandTurnedClock
from tests.unit.client.played_service import batch
from tests.unit.client.scoring_service import ScoringService

RUNNING = batch("running") | {"progress": 0.5, "eta_seconds": 75}
RUNNING["counts"] = {"total": None, "succeeded": 1200, "failed": 3}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_line_that_is_removed_at_the_end() -> None:
    terminal, clock = Terminal(), HandTurnedClock(each_look=1)
    with ProgressLine(terminal, clock.now) as line:
        line.sent(50, 200)
        line.batch(RUNNING)
        line.received(b"1234")
    shown = terminal.getvalue().split("\r\x1b[K")
    assert shown[1] == "uploading [######..................]  25% 50 bytes"
    assert shown[2].startswith("running [############............]  50% 1,203 rows, ")
    assert shown[2].endswith("/s, 3 failed 1 min 15 s left")
    assert shown[3:] == ["downloading 4 bytes", ""]


def test_it_is_drawn_ten_times_a_second_at_most() -> None:
    terminal, clock = Terminal(), HandTurnedClock(each_look=0.001)
    with ProgressLine(terminal, clock.now) as line:
        for sent in range(50):
            line.sent(sent, None)
    assert terminal.getvalue().count("uploading") == 1


def test_a_notebook_has_it_in_its_output_without_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    ipython = ModuleType("IPython")
    shell = type("ZMQInteractiveShell", (), {})()
    vars(ipython)["get_ipython"] = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    with progress_line() as line:
        line.sent(50, 200)
    shown = output.getvalue()
    assert "uploading [######" in shown
    assert "\x1b" not in shown
    assert shown.endswith(" \r")


def test_a_pipe_a_file_and_a_service_without_a_screen_have_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with progress_line() as line:
        line.sent(50, 200)
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    with progress_line() as line:
        line.sent(50, 200)
    assert errors.getvalue() == ""


@pytest.mark.parametrize(("progress", "shown"), [(None, True), (False, False)])
def test_a_table_shows_it_unless_it_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch, progress: bool | None, shown: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Client(transport=ScoringService()) as client:
        client.score(pd.DataFrame({"years": [2.5]}), progress=progress)
    assert ("uploading" in terminal.getvalue()) == shown


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (4.6, "5 s left"), (61, "1 min 01 s left")])
def test_the_time_that_is_left_is_short(seconds: float | None, text: str) -> None:
    assert time_left(seconds) == text
