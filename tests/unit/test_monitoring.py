"""The dashboard and the alerts use only metrics that there are, and the dashboard shows every metric."""

import json
import re
from pathlib import Path

METRIC = re.compile(r"\bpaygrade_[a-z_]+")
ENDINGS = ("_bucket", "_sum", "_count")


def known() -> set[str]:
    return set(re.findall(r"^\| `(paygrade_[a-z_]+)`", Path("docs/reference/metrics.md").read_text(), re.M))


def used(text: str) -> set[str]:
    names = set(METRIC.findall(text))
    return {next((name.removesuffix(end) for end in ENDINGS if name.endswith(end)), name) for name in names}


def dashboard() -> set[str]:
    panels = json.loads(Path("monitoring/dashboard.json").read_text())["panels"]
    return used(" ".join(target["expr"] for panel in panels for target in panel.get("targets", [])))


def test_alerts_are_about_metrics_that_there_are() -> None:
    expressions = re.findall(r"expr: (.+(?:\n {10}.+)*)", Path("monitoring/alerts.yml").read_text())
    assert len(expressions) > 10
    assert used(" ".join(expressions)) <= known()


def test_the_dashboard_shows_every_metric() -> None:
    assert known() - dashboard() <= {"paygrade_children"}  # their workers are shown
    assert dashboard() <= known()
