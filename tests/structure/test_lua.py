"""Every script is free of what luacheck finds: globals, unused variables, shadowed names."""

import os
import shutil

import pytest

from tests.structure.lua import linked_scripts, luacheck

needs_luacheck = pytest.mark.skipif(
    not shutil.which("luacheck") and not os.environ.get("CI"), reason="needs luacheck; CI has it"
)


@needs_luacheck
def test_every_script_passes_luacheck() -> None:
    scripts = list(linked_scripts())
    assert {"predictions/add", "batches/add", "queues/read"} <= {name for name, _ in scripts}
    assert luacheck(scripts) == ""


@needs_luacheck
def test_a_misspelled_name_is_found() -> None:
    assert "nwo" in luacheck([("queues/wrong", "local now = 1\nreturn nwo\n")])
