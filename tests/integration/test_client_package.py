"""The client as people install it: alone, with the oldest and the newest Python that it names."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.integration.service import ROOT, clean_environment
from tests.integration.stack import Stack
from tests.pythons import installed

PROJECT = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
NAMED = [
    version
    for each in PROJECT["classifiers"]
    if (version := each.rpartition(" :: ")[2]) and re.fullmatch(r"3\.\d+", version)
]

IMPORTED = """
import sys
before = set(sys.modules)
import paygrade
first = set(sys.modules) - before
paygrade.Client, paygrade.AsyncClient
import json
print(json.dumps([sorted(name for name in first if name.startswith("paygrade")), sorted(sys.modules)]))
"""
DISTRIBUTIONS = """
import importlib.metadata, re
found = {each.name.lower(): each.requires or [] for each in importlib.metadata.distributions()}
needed, new = set(), {"paygrade"}
while new:
    needed |= new
    plain = {text for name in new for text in found[name] if "extra ==" not in text}
    new = {re.match(r"[\\w.-]+", text)[0].lower() for text in plain} & found.keys() - needed
print(*sorted(found.keys() - needed))
print(*sorted(re.match(r"[\\w.-]+", text)[0] for text in found["paygrade"] if "extra ==" not in text))
"""
HEAVY = {"numpy", "pandas", "polars", "pyarrow", "xgboost", "sklearn", "requests", "flask", "redis"}


@pytest.fixture(scope="module", params=[NAMED[0], NAMED[-1]])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment that has the client, and what it asks for."""
    found = installed([request.param])
    if not found:
        assert not clean_environment().get("CI"), f"Python {request.param} is not installed"
        pytest.skip(f"Python {request.param} is not installed; CI has it")
    folder = tmp_path_factory.mktemp(f"python-{request.param}")
    client = shutil.copytree(ROOT / "client", folder / "client")  # it is built beside its source
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", found[request.param], folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, client], check=True)
    return python


def run(python: Path, *command: str, **settings: str) -> str:
    environment = clean_environment(**settings)
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, *command], cwd=python.parents[2], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_names_the_pythons_that_it_requires() -> None:
    assert PROJECT["requires-python"] == f">={NAMED[0]}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_brings_httpx_and_nothing_else(python: Path) -> None:
    others, asks_for = run(python, "-c", DISTRIBUTIONS).splitlines()
    assert (others, asks_for) == ("", "httpx")
    first, loaded = json.loads(run(python, "-W", "error", "-c", IMPORTED))
    assert first == ["paygrade"]
    assert {"httpx", "paygrade.client"} <= set(loaded)
    assert not HEAVY & set(loaded)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_has_its_command_and_its_types(python: Path) -> None:
    said = run(python, "-m", "paygrade", "--help")
    assert "exit status:" in said
    command = subprocess.run([python.with_name("paygrade"), "--version"], capture_output=True, text=True)
    assert command.stdout.startswith("paygrade ")
    assert list(python.parents[1].glob("lib/python3.*/site-packages/paygrade/py.typed"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_calls_a_service_and_scores_files(python: Path, shared: Stack, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("years\n2.5\n")
    calls = f"""
from paygrade import Client
with Client() as client:
    print(client.predict({{"years": 2.5}}))
    print(client.score_file("{tmp_path}/people.csv", "{tmp_path}/scored.csv")["status"])
"""
    said = run(python, "-W", "error", "-c", calls, PAYGRADE_URL=shared.address)
    assert said == "{'prediction': 260.00012}\nsucceeded\n"
    assert (tmp_path / "scored.csv").read_text() == "prediction,warnings,error\n260.00012,,\n"
