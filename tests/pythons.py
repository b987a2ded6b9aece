"""`make test-pythons`: the unit tests with each supported Python that is installed on this machine.

`make test-pythons PYTHONS=3.13` runs them with these versions only, and fails if one is not installed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUPPORTED = ("3.11", "3.12", "3.13")
TESTS = ["tests/unit", "-n", "2", "--dist", "loadfile", "-m", "not slow"]


def installed(versions: Sequence[str]) -> dict[str, Path]:
    """One interpreter for each version: from PATH, or one of pyenv's, whose shims need not run."""
    found = {}
    for version in versions:
        for candidate in _candidates(version):
            if _runs(candidate):
                found[version] = candidate
                break
    return found


def main(wanted: Sequence[str]) -> int:
    """Returns 1 if a test fails with any of them, or if a wanted one is not installed."""
    found = installed(wanted or SUPPORTED)
    failed = [version for version in wanted if version not in found]
    for version, interpreter in found.items():
        print(f"Python {version}: {interpreter}", flush=True)
        environment = ROOT / ".venv" / f"python-{version}"
        if _set_up(interpreter, environment) or _run(
            [environment / "bin" / "python", "-m", "pytest", *TESTS]
        ):
            failed.append(version)
    print(f"Failed with Python {', '.join(failed)}" if failed else "No unit test failed")
    return 1 if failed else 0


def _candidates(version: str) -> Iterator[Path]:
    for folder in os.environ["PATH"].split(os.pathsep):
        yield Path(folder) / f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))


def _runs(interpreter: Path) -> bool:
    if not interpreter.exists():
        return False
    return subprocess.run([interpreter, "-c", "import ensurepip"], capture_output=True).returncode == 0


def _set_up(interpreter: Path, environment: Path) -> int:
    uv: list[str | Path] = [sys.executable, "-m", "uv"]
    into: list[str | Path] = ["--python", environment / "bin" / "python"]
    return (
        _run([*uv, "venv", "--quiet", "--allow-existing", "--python", interpreter, environment])
        or _run([*uv, "pip", "sync", "--quiet", *into, "--require-hashes", "requirements/dev.txt"])
        or _run(
            [*uv, "pip", "install", "--quiet", *into, "--no-deps", "--no-build-isolation", "-e", "client"]
        )
    )


def _run(command: list[str | Path]) -> int:
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
