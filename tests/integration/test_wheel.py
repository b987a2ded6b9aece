"""The service as a wheel: built without a network, and run from a folder that has nothing of the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.service import ROOT, clean_environment
from tests.structure.code import PARTS

SERVICE = [part for part in PARTS if part != "paygrade"]
COMMANDS = [part for part in SERVICE if (ROOT / part / "__main__.py").exists()]
NEEDED = ["pyproject.toml", "README.md", "LICENSE", "client", *SERVICE]
STEPS = "paygrade.steps"
"""What models need of the package that people install."""

IMPORT_ALL = """
import importlib, pkgutil, sys
for part in sys.argv[2:]:
    package = importlib.import_module(part)
    assert package.__file__.startswith(sys.argv[1]), package.__file__
    for module in pkgutil.walk_packages(package.__path__, part + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            print(module.name)
"""

LOAD_SCRIPTS = """
from jobs.queues.names import PREDICTION
from jobs.queues.scripts import load, names
for name in names():
    assert load(name, PREDICTION).text
    print(name)
"""

SERVE = """
import re
from fakeredis import FakeRedis
from jobs.files.location import files_at
from jobs.logs import Journal
from jobs.queues.processes import Process
from jobs.settings import Settings
from model.bundle import Bundle
from model.description.catalog import Catalog
from web.keys import ApiKeys
from web.wiring import Backends, build

settings = Settings()
catalog = Catalog(settings.bundles, settings.default_model)
bundle = Bundle.load(catalog.find())
print(bundle.outputs(bundle.encode([[2.5]])))
redis, wake = FakeRedis(), lambda name: None
backends = Backends(
    redis=redis,
    admission_redis=redis,
    batch_redis=redis,
    subscriber=redis,
    files=files_at("files"),
    send_wake_up=wake,
    send_batch_wake_up=wake,
    process=Process("web:1", "0"),
    channel="ended:web",
    post_webhook=lambda *_: None,
)
journal = Journal("INFO", lambda text: None)
client = build(settings, ApiKeys(""), catalog, journal, backends).app.test_client()
loaded = re.findall('(?:href|src)="(page/[^"]+)"', client.get("/").text)
assert len(loaded) == 3, loaded
for path in ("/v1/models", "/openapi.json", "/docs", "/docs/start.js", "/", *(f"/{file}" for file in loaded)):
    answer = client.get(path)
    print(path, answer.status_code, len(answer.data) > 100)
"""


class Installed:
    """The wheel's content in a folder of its own, and a working directory beside it."""

    def __init__(self, site: Path, work: Path) -> None:
        self.site = site
        self._work = work

    def python(self, *arguments: str) -> str:
        environment = clean_environment(PYTHONPATH=str(self.site))
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self._work, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools builds beside the source
    source.mkdir()
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    offline = ["--no-index", "--no-deps"]
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "-w", folder, source], check=True)
    [wheel] = folder.glob("paygrade_service-*.whl")
    subprocess.run([*pip, "install", *offline, "--target", folder / "site", wheel], check=True)
    (folder / "work").mkdir()
    return Installed(folder / "site", folder / "work")


def modules_of(part: str, root: Path = ROOT) -> set[str]:
    files = (file.relative_to(root).with_suffix("") for file in (root / part).rglob("*.py"))
    names = {".".join(file.parts).removesuffix(".__init__") for file in files}
    return {name for name in names if name != part and not name.endswith("__main__")}


@pytest.mark.slow
def test_every_module_imports(installed: Installed) -> None:
    imported = installed.python("-c", IMPORT_ALL, str(installed.site), *SERVICE)
    assert set(imported.split()) == {name for part in SERVICE for name in modules_of(part)}


@pytest.mark.slow
def test_the_steps_come_with_it(installed: Installed) -> None:
    imported = installed.python("-c", IMPORT_ALL, str(installed.site), STEPS)
    assert set(imported.split()) == modules_of("paygrade/steps", ROOT / "client") - {STEPS}
    assert not (installed.site / "paygrade" / "commands").exists()


@pytest.mark.slow
def test_every_script_loads(installed: Installed) -> None:
    scripts = (ROOT / "jobs").glob("*/scripts/*.lua")
    expected = {f"{script.parent.parent.name}/{script.stem}" for script in scripts}
    assert set(installed.python("-c", LOAD_SCRIPTS).split()) == expected


@pytest.mark.slow
def test_it_serves_the_shipped_bundles_from_any_directory(installed: Installed) -> None:
    score, *pages = installed.python("-c", SERVE).splitlines()
    assert "260.00012" in score
    assert {page.split(" ", 1)[1] for page in pages} == {"200 True"}


@pytest.mark.slow
@pytest.mark.parametrize("part", COMMANDS)
def test_its_commands_run(installed: Installed, part: str) -> None:
    assert f"python -m {part}" in installed.python("-m", part, "--help")
