"""python requirements/install.py FILE: installs what FILE pins, and shows in one line how far it is.

It runs before anything is installed, so it uses the standard library alone.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

WIDTH = 30
WAYS_OUT = """\
install: pip could not get all that {file} pins; its reason is above.
  behind a proxy:               HTTPS_PROXY=http://proxy.example:3128 make run
  with an index of your own:    PIP_INDEX_URL=https://pypi.example/simple make run
  without a network:            PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels make run
docs/guides/installing.md says more.
"""


def main(file: str) -> int:
    pinned = Path(file).read_text().count("==")
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]
    with subprocess.Popen([*command, "--requirement", file], stdout=subprocess.PIPE, text=True) as pip:
        show(pip.stdout or [], pinned)
    if pip.returncode:
        print(WAYS_OUT.format(file=file), end="", file=sys.stderr)
    return pip.returncode


def show(lines: Iterable[str], pinned: int) -> None:
    """Follows what pip says; its errors go past this, to standard error."""
    seen = 0
    for line in lines:
        first, _, rest = line.partition(" ")
        if first in ("Collecting", "Requirement"):
            seen += 1
            draw(seen / pinned, rest.removeprefix("already satisfied: ").split(" ")[0].strip())
        elif line.startswith("Installing collected"):
            draw(1, "unpacking")
    if sys.stdout.isatty():
        print()


def draw(done: float, what: str) -> None:
    if sys.stdout.isatty():
        print(f"\r[{'#' * int(min(done, 1) * WIDTH):<{WIDTH}}] {what:<40.40}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
