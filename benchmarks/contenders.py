"""The services that are compared: each is started alone, and ended before the next."""

import json
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bundle import ROOT
from benchmarks.process import Process, cpu_seconds, free_port, memory, running, wait_for

ARTICLE, IN_PROCESS, MLSERVER, BENTOML = "(a) article", "(b) in process", "(c) MLServer", "(d) BentoML"
PROCESSES = 2
# Without it, the threads that XGBoost starts in each process fight for the cores: 60/s instead of 2,400.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
RIVALS = ROOT / ".venv" / "rivals" / "bin" / "python"
"""Has the rivals that need packages of their own."""


@dataclass
class Contender:
    """A server that is up: its port, and its processes by their part."""

    name: str
    port: int
    directory: Path
    processes: dict[str, list[Process]] = field(default_factory=lambda: defaultdict(list))

    def cpu_seconds(self) -> dict[str, float]:
        """What all processes of each part have used."""
        return {part: sum(map(cpu_seconds, processes)) for part, processes in self.processes.items()}

    def memory(self, part: str) -> list[float]:
        """MiB of each process of a part."""
        return [mib for process in self.processes[part] for mib in memory(process)]


@contextmanager
def article() -> Iterator[Contender]:
    """Rival (a): Flask on gunicorn, sync workers."""
    port = free_port()
    command = ["gunicorn", "--workers", str(PROCESSES), "--bind", f"127.0.0.1:{port}"]
    command += ["benchmarks.rivals.article:app"]
    # Its one route takes POST only: 405 means that it is up.
    with _rival(ARTICLE, port, command, "/recms", 405, environment=ONE_THREAD) as contender:
        yield contender


@contextmanager
def in_process(niceness: int = 0) -> Iterator[Contender]:
    """Rival (b): FastAPI on uvicorn, without the log that would cost it time."""
    port = free_port()
    command = ["uvicorn", "--workers", str(PROCESSES), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning", "benchmarks.rivals.in_process:app"]
    with _rival(IN_PROCESS, port, command, "/openapi.json", 200, niceness) as contender:
        yield contender


@contextmanager
def numeric_article(model: Path, _: str) -> Iterator[Contender]:
    """Rival (a) with a model of numbers."""
    port = free_port()
    command = ["gunicorn", "--workers", str(PROCESSES), "--bind", f"127.0.0.1:{port}"]
    command += ["benchmarks.rivals.numeric_article:app"]
    environment = ONE_THREAD | {"BENCHMARK_MODEL": str(model)}
    with _rival(ARTICLE, port, command, "/predict", 405, environment=environment) as contender:
        yield contender


@contextmanager
def numeric_in_process(model: Path, _: str) -> Iterator[Contender]:
    """Rival (b) with a model of numbers."""
    port = free_port()
    command = ["uvicorn", "--workers", str(PROCESSES), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning", "benchmarks.rivals.numeric_in_process:app"]
    environment = {"BENCHMARK_MODEL": str(model)}
    with _rival(IN_PROCESS, port, command, "/openapi.json", 200, environment=environment) as contender:
        yield contender


@contextmanager
def mlserver(model: Path, name: str) -> Iterator[Contender]:
    """Rival (c): MLServer with its own runtime for XGBoost, which scores in a pool of processes."""
    port, others = free_port(), {"grpc_port": free_port(), "metrics_port": free_port()}
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        folder = Path(directory)
        shutil.copy(model, folder / "model.ubj")
        settings = {"host": "127.0.0.1", "http_port": port, "parallel_workers": PROCESSES, "debug": False}
        (folder / "settings.json").write_text(json.dumps(settings | others | {"logging_settings": None}))
        described = {"name": name, "implementation": "mlserver_xgboost.XGBoostModel"}
        described |= {"parameters": {"uri": "./model.ubj"}}  # type: ignore[dict-item]
        (folder / "model-settings.json").write_text(json.dumps(described))
        command = ["mlserver.cli.main", "start", str(folder)]
        path = f"/v2/models/{name}/ready"
        with _rival(MLSERVER, port, command, path, 200, environment=ONE_THREAD, python=RIVALS) as contender:
            yield contender


@contextmanager
def bentoml(model: Path, _: str) -> Iterator[Contender]:
    """Rival (d): BentoML with two processes."""
    port = free_port()
    command = ["bentoml", "serve", "benchmarks.rivals.bento:Scorer", "--host", "127.0.0.1"]
    command += ["--port", str(port)]
    environment = ONE_THREAD | {"BENCHMARK_MODEL": str(model), "BENTOML_DO_NOT_TRACK": "True"}
    with _rival(BENTOML, port, command, "/readyz", 200, environment=environment, python=RIVALS) as contender:
        yield contender


Numeric = Callable[[Path, str], AbstractContextManager[Contender]]
"""Serves the booster in a file under a name."""
NUMERIC: dict[str, Numeric] = {"article": numeric_article, "in_process": numeric_in_process}
INSTALLED_APART: dict[str, Numeric] = {"mlserver": mlserver, "bentoml": bentoml}


def numeric_rivals() -> dict[str, Numeric]:
    """All that are installed."""
    return NUMERIC | (INSTALLED_APART if RIVALS.exists() else {})


@contextmanager
def _rival(
    name: str,
    port: int,
    command: list[str],
    path: str,
    status: int,
    niceness: int = 0,
    environment: Mapping[str, str] | None = None,
    python: Path = Path(sys.executable),
) -> Iterator[Contender]:
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-", ignore_cleanup_errors=True) as directory:
        contender = Contender(name, port, Path(directory))
        log = contender.directory / "web.log"
        command = ["nice", "-n", str(niceness), str(python), "-m", *command]
        with running(command, log, **(environment or {})) as process:
            wait_for(path, port, process, log, status)
            contender.processes["web"].append(process)
            yield contender
