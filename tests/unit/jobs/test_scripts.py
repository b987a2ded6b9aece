"""A script gets the definitions that it needs, and no more."""

from jobs.queues.scripts import linked

DEFINITIONS = """\
-- What the names mean: base, top, unused.

local base, other = 1, 2
local function unused() return base end

-- Stands on base.
local function top()
  return base
end
"""


def test_what_a_script_uses_stands_before_it_with_what_that_uses() -> None:
    text = linked(DEFINITIONS, "return top()\n")
    assert text.index("local base") < text.index("local function top") < text.index("return top()")
    assert "function unused" not in text


def test_a_comment_uses_nothing() -> None:
    assert linked(DEFINITIONS, "-- not top\nreturn 1\n") == "-- not top\nreturn 1\n"
