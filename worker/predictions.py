"""What a child does when the bell rings: claim, score, record, and on while there is more."""

import logging
import time
from collections.abc import Callable

import orjson

from jobs.line import Claim, Entry, Line
from model.errors import ModelError
from worker.bundles import Bundles
from worker.care import score_with_care
from worker.pace import Pace
from worker.scoring import by_bundle, score

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.1
"""How often a claim is made without waiting first: only such a one sees the jobs of lost workers."""
LINGER_MS = 100
"""How long an empty line is watched before the bell is withdrawn: the next job then needs no bell."""


class Predictions:
    def __init__(self, line: Line, bundles: Bundles, child: str, stopping: Callable[[], bool]) -> None:
        self._line = line
        self._bundles = bundles
        self._child = child
        self._stopping = stopping
        self._pace = Pace()
        self._look_at = 0.0

    def answer(self, bell: str) -> None:
        """Works until the line is empty or the worker is to stop; what is claimed is always recorded."""
        while not self._stopping():
            claims = self._next(bell)
            if not claims:
                self._line.withdraw(bell)
                # Whoever came before that saw our bell out and rang none.
                claims = self._claim(bell)
                if not claims:
                    return
            for those in by_bundle(claims):
                self._score(those)
        self._line.withdraw(bell)

    def _next(self, bell: str) -> list[Claim]:
        if time.monotonic() >= self._look_at and (claims := self._claim(bell)):
            return claims
        entry = self._line.wait(self._child, LINGER_MS)
        return self._claim(bell, entry) if entry else []

    def _claim(self, bell: str, entry: Entry | None = None) -> list[Claim]:
        if entry is None:
            self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
        return self._line.claim(self._child, bell, self._pace.rows, entry)

    def _score(self, claims: list[Claim]) -> None:
        model = claims[0].model
        try:
            bundle = self._bundles.get(model, claims[0].sha256)
        except ModelError as error:
            log.error("model_unavailable %s: %s", model, error)
            self._line.give_back(claims, _unavailable(model))
            return
        started = time.perf_counter()
        together = [claim for claim in claims if not claim.careful]
        outcomes = score(bundle.predict, bundle.warnings, together) if together else []
        for claim in claims:
            if claim.careful:
                outcomes.append(score_with_care(self._line, bundle.predict, bundle.warnings, claim))
        recorded = self._line.record(outcomes)
        self._pace.measured(sum(len(claim.rows) for claim in claims), time.perf_counter() - started)
        if recorded < len(claims):
            log.warning("outdated: %d jobs had been taken back meanwhile", len(claims) - recorded)


def _unavailable(model: str) -> bytes:
    return orjson.dumps({"type": "model_unavailable", "detail": f"no worker could load {model}"})
