"""A real Prometheus loads the alerts, scrapes web, and answers every query of the dashboard."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import requests

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import ROOT, Service, clean_environment, free_port, wait_until
from tests.integration.stack import Stack
from tests.integration.test_batches import post, read
from tests.unit.test_monitoring import METRIC

MONITORING = ROOT / "monitoring"
Watch: TypeAlias = "Callable[[Stack], Prometheus]"
CONFIGURATION = """\
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: ["{alerts}"]
scrape_configs:
  - job_name: paygrade
    static_configs: [targets: ["{target}"]]
"""


class Prometheus:
    def __init__(self, folder: Path, target: str) -> None:
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        (folder / "prometheus.yml").write_text(
            CONFIGURATION.format(alerts=MONITORING / "alerts.yml", target=target)
        )
        command = [
            binary(),
            f"--web.listen-address=127.0.0.1:{port}",
            f"--storage.tsdb.path={folder / 'data'}",
        ]
        command += [f"--config.file={folder / 'prometheus.yml'}"]
        self.service = Service(command, folder / "prometheus.log", clean_environment())
        wait_until("Prometheus answers", self._answers)

    def query(self, expression: str) -> list[Any]:
        """Fails if Prometheus cannot read the expression."""
        found = self._get("query", query=expression)
        result: list[Any] = found["result"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str, **parameters: str) -> Any:
        response = requests.get(f"{self.address}/api/v1/{path}", params=parameters, timeout=60)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def _answers(self) -> bool:
        assert self.service.alive, self.service.says()
        try:
            return requests.get(f"{self.address}/-/ready", timeout=10).status_code == 200
        except requests.RequestException:
            return False


def binary() -> str:
    found = shutil.which("prometheus")
    if found is None:
        assert os.environ.get("CI") != "true", "there is no prometheus in PATH"
        pytest.skip("there is no prometheus in PATH")
    return found


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with ExitStack() as started:

        def start(stack: Stack) -> Prometheus:
            prometheus = Prometheus(tmp_path, stack.address.removeprefix("http://"))
            started.callback(prometheus.service.kill_group)
            return prometheus

        yield start


def queries() -> dict[str, str]:
    """The expressions of the dashboard by panel, with the interval that Grafana would fill in."""
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    return {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "1m")
        for panel in panels
        for target in panel.get("targets", [])
    }


def with_samples(stack: Stack) -> set[str]:
    text = requests.get(f"{stack.address}/metrics", timeout=60).text
    return set(re.findall(r"^(paygrade_[a-z_]+)", text, re.M))


def test_every_query_of_the_dashboard_has_an_answer(shared: Stack, watch: Watch) -> None:
    stack, prometheus = shared, watch(shared)
    work(stack)
    wait_until("it is scraped", lambda: prometheus.query("paygrade_batch_rows_total"))
    work(stack)
    sampled = with_samples(stack)
    queried = {panel: query for panel, query in queries().items() if set(METRIC.findall(query)) <= sampled}
    assert len(queried) > 30
    for panel, query in queries().items():
        if panel in queried and "attempt!=" not in query and "[45]" not in query:
            wait_until(f"{panel} has an answer", lambda: prometheus.query(query))  # noqa: B023
        else:
            prometheus.query(query)


def test_alerts_are_raised_with_cause_and_not_without(start_stack: StartStack, watch: Watch) -> None:
    stack = start_stack()
    stack.start_web()
    worker = stack.ready(stack.start_worker())
    Caller(stack.address).accepted({"years": 2.5})
    prometheus = watch(stack)
    wait_until("it is scraped", lambda: prometheus.query("paygrade_sweeps_total"))
    wait_until("all are evaluated", lambda: all(rule["health"] == "ok" for rule in prometheus.rules()))
    queries = {rule["name"]: rule["query"] for rule in prometheus.rules()}
    wait_until("none is raised", lambda: not any(map(prometheus.query, queries.values())))
    worker.kill_group()
    Caller(stack.address).accepted({"years": 2.5})
    wait_until("it is raised", lambda: prometheus.query(queries["PaygradeHasNoWorkers"]))


def work(stack: Stack) -> None:
    caller = Caller(stack.address)
    assert caller.post({"years": 2.5}, wait=20).status_code == 200
    batch = post(stack, "years\n2.5\n4.5\n")
    wait_until("the batch has ended", lambda: read(stack, batch, wait=20)["finished_at"])
