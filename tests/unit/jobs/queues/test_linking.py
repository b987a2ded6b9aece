"""A script is linked with the definitions that it needs, and no others."""

from jobs.queues.scripts import linked

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
