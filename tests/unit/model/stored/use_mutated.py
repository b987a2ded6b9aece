"""Loads, scores and explains changed models, one after the other; a process of its own, which they may end.

`python -m tests.unit.model.stored.use_mutated FIRST LAST` prints how many were refused and used, as JSON.
"""

import json
import resource
import sys
import time
from collections import Counter

import numpy as np

from model.booster import read_booster
from model.bundle import Scorer
from model.description.errors import BundleError
from model.description.schema import Schema
from model.engines.xgboost import EngineError, XGBoostEngine
from model.importing.booster_file import load_booster
from model.importing.categories import saved_categories
from model.importing.probes import thresholds
from model.objective import read_objective
from model.preparation import RawColumns
from tests.unit.model.stored.mutations import mutated
from tests.unit.model.test_older_versions import archive, saved_models

VERSIONS = ("1.0.2", "1.6.2", "2.1.4", "3.2.0", "3.4.1")
MOST_FEATURES = 100
MEMORY = 3 << 30


def main(first: int, last: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    models = [
        archive(model.version)[model.file]
        for model in saved_models()
        if model.version in VERSIONS and not model.unreadable and not model.newer
    ]
    counts: Counter[str] = Counter()
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    slowest = 0.0
    for seed in range(first, last):
        sys.stderr.write(f"{seed}\n")
        before = time.process_time()
        counts[use(mutated(models[seed % len(models)], seed))] += 1
        slowest = max(slowest, time.process_time() - before)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) >> 10
    sys.stdout.write(json.dumps({**counts, "mebibytes": grown, "seconds": slowest}))


def use(model: bytes) -> str:
    """Do with a model what importing and serving do; returns what became of it."""
    try:
        booster = read_booster(model, "model.ubj")
        objective = read_objective(booster.config, "model.ubj", "3.2.0")
    except BundleError:
        return "refused"
    features, rounds = booster.features, booster.rounds
    if features > MOST_FEATURES or not rounds:  # so many names, and no trees, are refused elsewhere
        return "not used"
    schema = Schema.from_list([{"name": f"f{number}", "type": "number"} for number in range(features)])
    rows = np.random.default_rng(1).normal(0, 8, (60, features)).astype(np.float32)
    rows[::3] = np.nan
    rows[1:13] = np.arange(12)[:, None]
    engine = XGBoostEngine(booster, rounds, objective.crossing)
    scorer = Scorer(engine, objective, RawColumns(schema, None))
    for act in (scorer.score, scorer.explain):
        try:
            act(rows)
        except EngineError:
            return "not scored"
    imported = load_booster(model, "model.ubj")
    thresholds(imported)
    saved_categories(imported, "3.4.1")
    return "used"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
