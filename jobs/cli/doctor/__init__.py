"""Looks for what is wrong, or will be: settings against each other, Redis, workers and web, bundles, keys.

Without an option, and with --redis, it looks at the settings in its own environment and at Redis, as a
worker or web would; with --url, at web as its callers see it. The exit status is 1 if there is a fault; a
warning is none.
"""

import argparse
from collections.abc import Iterator

from jobs.cli.direct import Direct
from jobs.cli.doctor import bundles, fit, processes, store, web
from jobs.cli.doctor.finding import Finding, State, fault
from jobs.cli.source import add_api, add_redis, api_of
from jobs.cli.text import as_json, table
from jobs.connection import connect
from jobs.errors import JobsError
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings

HELP = "look for what is wrong"
EXAMPLES = """\
  REDIS_URL=redis://127.0.0.1:6379/0 python -m jobs doctor
  python -m jobs doctor --url http://127.0.0.1:8000
  python -m jobs doctor --redis --url http://127.0.0.1:8000 --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_redis(parser)
    add_api(parser)


def run(options: argparse.Namespace, settings: Settings) -> int:
    operates = options.redis or not options.url
    findings = list(_of_operators(settings)) if operates else []
    if options.url:
        findings += web.look(api_of(options, settings))
    findings = list(dict.fromkeys(findings))  # of the processes both may tell
    well = not any(finding.state is State.FAULT for finding in findings)
    if options.json:
        print(as_json({"ok": well, "findings": [finding._asdict() for finding in findings]}))
    else:
        print("\n".join(table(("", "about", "found"), [(f.state, f.about, f.said) for f in findings])))
    return 0 if well else 1


def _of_operators(settings: Settings) -> Iterator[Finding]:
    redis = connect(settings)
    yield from fit.look(settings)
    yield from bundles.look(settings)
    try:
        yield from store.look(store.Facts.gather(redis), settings)
        yield from processes.look(Direct(PredictionStore(redis, settings), settings).capacity())
    except JobsError as error:
        yield fault("redis", f"{error}; REDIS_URL says where it is")
