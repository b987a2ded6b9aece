"""What a child does when the wake_up rings: claim, score, record, and on while there is more."""

import time
from collections.abc import Callable, Sequence

from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from worker.account import Account
from worker.bundles import Bundles, bundle_of
from worker.outputs import scores
from worker.pace import Pace
from worker.poison_rows import score_claims
from worker.scoring import by_bundle

LOOK_EVERY_SECONDS = 0.1
"""How often to claim without having waited: only so are the jobs of lost workers seen."""
LINGER_MS = 100
"""How long an empty line is watched before the wake_up is withdrawn: the next job then needs no wake_up."""


class PredictionLoop:
    def __init__(
        self,
        line: PredictionConsumer,
        bundles: Bundles,
        account: Account,
        child: str,
        stopping: Callable[[], bool],
    ) -> None:
        self._line = line
        self._bundles = bundles
        self._account = account
        self._child = child
        self._stopping = stopping
        self.pace = Pace()
        self._look_at = 0.0

    def answer(self, wake_up: str) -> None:
        """Works until the line is empty or the worker is to stop; what is claimed is always recorded."""
        claims = self._line.claim(self._child, wake_up, self.pace.rows) or self._wait(wake_up)
        while claims:
            started, rows = time.perf_counter(), sum(len(claim.rows) for claim in claims)
            self._account.claimed()
            outcomes = self._score_all(claims)
            if self._stopping():
                self._account.recorded(outcomes, self._line.record(outcomes))
                break
            claims = self._record(outcomes, wake_up)
            self.pace.worked(rows, time.perf_counter() - started)
            claims = claims or self._wait(wake_up)
        self._line.withdraw(wake_up)
        self._account.tell()

    def _record(self, outcomes: list[Outcome], wake_up: str) -> list[Claim]:
        """Records, and claims what waits meanwhile, if anything; after a lone job mostly nothing does."""
        claims: list[Claim] = []
        if len(outcomes) == 1 and time.monotonic() < self._look_at:
            counted = self._line.record(outcomes)
        else:
            counted, claims = self._line.record_and_claim(outcomes, self._child, wake_up, self.pace.rows)
            self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
        self._account.recorded(outcomes, counted)
        return claims

    def _wait(self, wake_up: str) -> list[Claim]:
        if entry := self._line.wait(self._child, LINGER_MS):
            return self._line.claim(self._child, wake_up, self.pace.rows, entry)
        self._line.withdraw(wake_up)
        # Whoever came before that saw our wake_up out and rang none.
        return self._line.claim(self._child, wake_up, self.pace.rows)

    def _score_all(self, claims: Sequence[Claim]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for those in by_bundle(claims):
            outcomes += self._score(those)
        return outcomes

    def _score(self, claims: list[Claim]) -> list[Outcome]:
        """The claims are of one bundle; those whose bundle cannot be had are given back."""
        bundle = bundle_of(claims, self._bundles, self._line)
        if bundle is None:
            return []
        started = time.perf_counter()
        outcomes = score_claims(self._line, scores(bundle), claims)
        rows, seconds = sum(len(claim.rows) for claim in claims), time.perf_counter() - started
        self.pace.measured(rows, seconds)
        self._account.scored(claims, rows, seconds)
        return outcomes
