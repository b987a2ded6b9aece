"""A script is linked with the definitions that it needs, and no others."""

from pathlib import Path

import pytest

from jobs.queues.scripts import linked, load

DEFINITIONS = """\
-- What the names mean: base, top, unused.

local base, other = 1, 2
local function unused() return base end

-- Uses base.
local function top()
  return base
end
"""


def test_a_definition_that_a_script_uses_precedes_it_with_its_own_needs() -> None:
    text = linked(DEFINITIONS, "return top()\n")
    assert text.index("local base") < text.index("local function top") < text.index("return top()")
    assert "function unused" not in text


def test_a_name_in_a_comment_is_not_a_use() -> None:
    assert linked(DEFINITIONS, "-- not top\nreturn 1\n") == "-- not top\nreturn 1\n"


def test_what_an_included_file_includes_comes_once_and_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "lowest": "local base = 1\n",
        "left": "-- @include lowest\nlocal left = base\n",
        "right": "-- @include lowest\nlocal right = base\n",
        "made/scripts/up": "-- @include right left\n-- @args\n-- @returns sum\nreturn left + right\n",
    }
    (tmp_path / "made/scripts").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / f"{name}.lua").write_text(text)
    monkeypatch.setattr("jobs.queues.scripts.ROOT", tmp_path)
    lines = [line for line in load("made/up").text.splitlines() if line.startswith("local")]
    assert lines == ["local base = 1", "local right = base", "local left = base"]
