"""python -m tests.hostile FOLDER BUDGET: scores the files of a folder, as one child of that budget would.

Prints a line of JSON for each: how it ended, the CPU seconds, and the most bytes of memory meanwhile.
"""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from worker.memory import MemoryBudget


class Log(logging.Handler):
    """Keeps the names of all events, and why tasks were abandoned."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.events.append(getattr(record, "reason", record.getMessage()))


def main(folder: Path, budget: int) -> None:
    memory = MemoryBudget(budget)
    memory.enforce()
    from tests.unit.web.site import Site, loaded  # with pyarrow and XGBoost, after the limit

    log = Log()
    logging.getLogger().addHandler(log)
    site = Site()
    loaded(Path(site.settings.bundles)).check_default()
    for path in sorted(folder.glob("*.json")):
        asked = json.loads(path.read_text())
        log.events.clear()
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory counts from here
        started = time.process_time()
        ended = _score(site, asked, path.with_suffix(".data"))
        memory.give_back()
        ended |= {"cpu": time.process_time() - started, "peak": _memory("VmHWM"), "left": _memory("VmRSS")}
        print(json.dumps(ended | {"name": asked["name"], "events": log.events}), flush=True)
    site.close()


def _score(site: Any, asked: dict[str, str], data: Path) -> dict[str, Any]:
    with data.open("rb") as file:
        response = site.client.post(
            f"/v1/batches{asked['query']}", input_stream=file, content_type=asked["media_type"]
        )
    if response.status_code != 202:
        return {"status": response.status_code, "error": response.get_json()["detail"], "results": 0}
    path = response.get_json()["urls"]["self"]
    site.score_batches()
    batch = site.client.get(path).get_json()
    results = [file.stat().st_size for file in Path(site.folder.name).rglob("*") if file.is_file()]
    site.files.remove("batches")
    site.logged.clear()
    return {"status": batch["status"], "error": batch["error"], "results": sum(results)}


def _memory(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(name))) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
