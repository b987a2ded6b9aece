"""The scripts as Redis runs them; `python -m tests.structure.lua` checks each of them with luacheck."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.queues.names import BATCH, PREDICTION
from jobs.queues.scripts import load, names

KINDS = (PREDICTION, BATCH)
COMMAND = [
    "luacheck",
    "--no-config",
    "--no-color",
    "--no-max-line-length",
    *("--std", "lua51"),
    *("--read-globals", "redis", "cjson", "KEYS", "ARGV"),
    *("--ignore", "512"),  # `for _, item in items() do return ...` reads the only item
    "--",
]


def linked_scripts() -> Iterator[tuple[str, str]]:
    """The name of each script and its text with what it includes: once for each kind if they differ.

    Without the line of its flags, which is not Lua.
    """
    for name in names():
        for text in dict.fromkeys(load(name, kind).text for kind in KINDS):
            yield name, text[text.index("\n") + 1 :] if text.startswith("#!") else text


def luacheck(scripts: list[tuple[str, str]]) -> str:
    """Returns what luacheck complains about; empty if it has no complaint."""
    with TemporaryDirectory() as folder:
        for number, (name, text) in enumerate(scripts):
            (Path(folder) / f"{name.replace('/', '.')}.{number}.lua").write_text(text)
        done = subprocess.run([*COMMAND, "."], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def main() -> int:
    if not shutil.which("luacheck"):
        print("lint: the scripts are not checked; apt-get install lua-check", file=sys.stderr)
        return 0
    complaints = luacheck(list(linked_scripts()))
    print(complaints, end="")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
