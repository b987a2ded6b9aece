"""The contents of the images."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.containers.compose import Compose, docker, inspect, run
from tests.containers.conftest import SECRET
from tests.integration.service import ROOT

SERVICES = ("web", "worker")
MEGABYTE = 1_000_000
MAX_SIZE = {"web": 155 * MEGABYTE, "worker": 345 * MEGABYTE, "predictions": 180 * MEGABYTE}
"""In bytes, uncompressed, with the interpreter and what it needs of Debian."""
PACKAGES = "/opt/venv/lib/python3.13/site-packages"
NOT_NEEDED = {"libdb-5", "libgdbm", "libgdbm_compat", "libncursesw", "libpanelw", "libreadline", "libsqlite3"}
NOT_NEEDED |= {"libtcl8", "libtk8"}
"""Libraries of the interpreter's extensions for terminals, databases and windows."""

each_service = pytest.mark.parametrize("service", SERVICES)


def in_image(image: str, *command: str) -> list[str]:
    """Runs a command as root, which can read every file, and returns its output lines."""
    return docker("run", "--rm", "--network", "none", "--user", "0", image, *command).splitlines()


def sources_in(image: str) -> set[str]:
    """The names of the project's modules in the image."""
    files = in_image(image, "find", "/app", "-name", "*.py", "-printf", "%P\n")
    return {file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in files}


def packages_in(image: str) -> set[str]:
    return {Path(name).name for name in in_image(image, "find", PACKAGES, "-maxdepth", "1")}


@pytest.fixture(scope="module")
def predictions() -> Iterator[str]:
    """The image of a worker that serves predictions only, which compose does not use."""
    image = "paygrade-tested-predictions"
    run("docker", "buildx", "build", "--load", "--target", "predictions", "--tag", image, str(ROOT))
    yield image
    docker("rmi", "--force", image)


@pytest.fixture(params=MAX_SIZE)
def image(request: pytest.FixtureRequest, shared: Compose, predictions: str) -> str:
    return predictions if request.param == "predictions" else shared.image(request.param)


@pytest.mark.parametrize(("image", "size"), MAX_SIZE.items(), indirect=["image"])
def test_an_image_is_small(image: str, size: int) -> None:
    assert inspect(image)["Size"] < size


def test_the_web_image_has_no_packages_for_scoring(shared: Compose) -> None:
    installed = packages_in(shared.image("web"))
    assert "flask" in installed
    assert not installed & {"xgboost", "numpy", "scipy", "polars", "pyarrow"}


def test_the_worker_image_has_neither_cuda_nor_a_web_server(shared: Compose) -> None:
    installed = packages_in(shared.image("worker"))
    assert {"xgboost", "numpy", "pyarrow"} <= installed
    assert not installed & {"nvidia", "flask", "gevent", "gunicorn", "scipy"}


def test_the_image_of_predictions_has_no_packages_for_files(predictions: str) -> None:
    installed = packages_in(predictions)
    assert {"xgboost", "numpy"} <= installed
    assert not installed & {"scipy", "pyarrow", "nvidia", "flask", "gevent"}


SCORE = """
from concurrent.futures import ThreadPoolExecutor
from model.description.catalog import Catalog
from worker.bundles import Bundles
from worker.bundles import explaining_scorer
catalog = Catalog("/app/model/bundles", "wages")
bundles, manifest = Bundles(catalog), catalog.find()
bundle = bundles.get(manifest.ref, manifest.sha256)
print(explaining_scorer(bundle, ThreadPoolExecutor(1))(manifest.golden.rows[:1])[0].decode())
"""


def test_the_image_of_predictions_scores_and_explains(predictions: str) -> None:
    [row] = in_image(predictions, "python", "-c", SCORE)
    assert row.startswith('{"prediction":')
    assert '"contributions":{"education":' in row


def test_the_image_of_predictions_refuses_batches_with_what_to_do(predictions: str) -> None:
    command = ("docker", "run", "--rm", "--env", "PAYGRADE_QUEUES=batches", predictions)
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "the package pyarrow is not installed; use the image `worker`" in refused.stderr


@each_service
def test_an_image_has_only_modules_that_web_worker_or_ops_import(shared: Compose, service: str) -> None:
    """So it contains neither training nor tests; .dockerignore excludes them."""
    graph = grimp.build_graph("jobs", "model", "ops", "paygrade", "web", "worker", cache_dir=None)
    # Celery imports the transport by its name, and other engines the scorer of tables.
    served = {"ops.__main__", "web.__main__", "worker.__main__", "worker.wake_up_transport"}
    served.add("worker.self_check")  # ECS starts it
    served |= {"worker.tables.frames"}
    served |= {module for start in served for module in graph.find_upstream_modules(start)}
    packages = {module.rpartition(".")[0] for module in served}
    assert sources_in(shared.image(service)) <= served | packages


def test_an_image_has_nothing_to_build_or_to_become_root_with(image: str) -> None:
    names = ("gcc", "cc", "make", "git", "curl", "pip", "apt", "dpkg", "perl", "su", "mount")
    script = "for name in $0 $@; do command -v $name; done; true"
    assert in_image(image, "sh", "-c", script, *names) == []
    assert in_image(image, "find", "/", "-xdev", "-type", "f", "-perm", "/6000") == []


def test_the_list_of_packages_has_those_of_debian(image: str) -> None:
    """Scanners read it."""
    libraries = in_image(image, "sh", "-c", "grep --no-filename ^Package: /var/lib/dpkg/status")
    assert {"Package: libc6", "Package: libssl3", "Package: libstdc++6"} <= set(libraries)
    assert "Package: perl-base" not in libraries


def test_python_finds_all_its_libraries_but_those_of_terminals_and_databases(image: str) -> None:
    """Those that nothing here imports."""
    find = "find /usr/local/lib /opt/venv/lib -name '*.so*' -type f"
    lines = in_image(image, "sh", "-c", f"{find} | xargs ldd | grep 'not found' | sort -u")
    missing = {line.split()[0].partition(".")[0] for line in lines}
    assert missing, "some always are; nothing was looked at"
    assert missing <= NOT_NEEDED


def test_python_knows_whom_to_trust(image: str) -> None:
    script = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    [authorities] = in_image(image, "python", "-c", script)
    assert int(authorities) > 100


def test_a_worker_compiles_nothing_at_its_start(predictions: str) -> None:
    script = "python -v -c 'import worker.starting, worker.predictions, celery.apps.worker' 2>&1"
    loaded = [line for line in in_image(predictions, "sh", "-c", script) if line.startswith("# code object")]
    assert len(loaded) > 300
    assert not [line for line in loaded if line.endswith(".py")]


def test_all_modules_are_compiled(image: str) -> None:
    """The file system of a container is read-only, so Python cannot compile at run time."""
    folders = ("/app", "/opt/venv/lib", "/usr/local/lib")
    found = in_image(image, "find", *folders, "-name", "*.py*", "-type", "f")
    sources = [Path(name) for name in found if name.endswith(".py")]
    compiled = {Path(name) for name in found}
    assert len(sources) > 1_000
    assert not [
        source
        for source in sources
        if source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc" not in compiled
    ]


@each_service
def test_an_image_holds_no_secret(shared: Compose, service: str) -> None:
    """The secret is in .env beside the Dockerfile: containers get it, images do not."""
    assert SECRET in shared.in_container(service, "env")
    image = shared.image(service)
    script = f"grep -rlF {SECRET} /app /opt /files /etc /home /root /tmp /usr/local /var || true"
    assert in_image(image, "sh", "-c", script) == []
    assert SECRET not in docker("history", "--no-trunc", image)
    assert SECRET not in docker("inspect", image)


def test_images_do_not_depend_on_the_umask_of_the_clone(stack: Compose) -> None:
    for file in stack.clone.rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
    stack.run("build")
    for service in SERVICES:
        image = stack.image(service)
        assert docker("run", "--rm", "--network", "none", image, "find", "/app", "!", "-readable") == ""


def test_a_source_change_replaces_one_small_layer(stack: Compose) -> None:
    stack.run("build", "web")
    before = inspect(stack.image("web"))["RootFS"]["Layers"]
    source = stack.clone / "web" / "operating.py"
    source.write_text(source.read_text() + "\n# changed\n")
    stack.run("build", "web")
    after = inspect(stack.image("web"))["RootFS"]["Layers"]
    changed = [layer for layer in after if layer not in before]
    assert (before[:-1], [after[-1]]) == (after[:-1], changed)
    newest = run("docker", "history", "--human=false", "--format", "{{.Size}}", stack.image("web")).split()
    assert next(int(size) for size in newest if size != "0") < 4 * MEGABYTE
