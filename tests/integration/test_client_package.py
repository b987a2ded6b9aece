"""The client as people install it: pip install ./client, in an environment that has nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.service import ROOT, clean_environment


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pip_installs_the_client_and_its_command(tmp_path: Path) -> None:
    client = shutil.copytree(ROOT / "client", tmp_path / "client")  # pip builds beside the source
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    bin_folder = tmp_path / "venv" / "bin"
    subprocess.run(
        [bin_folder / "pip", "install", "--quiet", "--disable-pip-version-check", client],
        check=True,
    )
    done = subprocess.run(
        [bin_folder / "paygrade", "--help"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "paygrade" in done.stdout
    assert "exit status:" in done.stdout
    typed = tmp_path / "venv" / "lib" / f"python3.{sys.version_info.minor}/site-packages/paygrade/py.typed"
    assert typed.exists()
