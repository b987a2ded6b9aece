"""What a round of the keeper leaves for the next, in whatever web process. Times are seconds since 1970."""

from typing import Any, NamedTuple

import orjson

VERSION = 1


class WorkerPace(NamedTuple):
    """What one worker does in a second while it has work; a guess until it was measured."""

    rows: float = 5_000.0
    explained: float = 50.0
    chunks: float = 0.5


class Totals(NamedTuple):
    """What all workers have ever done; only differences count."""

    rows: float = 0.0
    """Scored, with those that were explained."""
    explained: float = 0.0
    chunks: float = 0.0
    chunk_seconds: float = 0.0


class KeeperState(NamedTuple):
    busy_at: float = 0.0
    """When work was last seen; 0 before the first round."""
    totals: Totals = Totals()
    pace: WorkerPace = WorkerPace()
    window_at: float = 0.0
    """When the window began in which `most` is the most workers that were needed."""
    window_totals: Totals = Totals()
    most: int = 0
    most_before: int = 0
    """The same in the window before."""
    sleeping: bool = False
    """The workers were to sleep as of this round."""
    spot_waits_since: float = 0.0
    """When Spot began to give fewer workers than it was asked for; 0 while it gives all."""
    spot_short_until: float = 0.0
    """When Spot is asked again; until then workers are asked for on demand."""
    reported_at: float = 0.0
    reported_rows: float = 0.0
    """Scored until the last report."""
    rounds: int = 0
    """The rounds since the last report."""

    def encode(self) -> bytes:
        return orjson.dumps([VERSION, *map(_plain, self)])

    @classmethod
    def decode(cls, text: bytes) -> "KeeperState":
        """One that cannot be read, or of another version, is as none: later rounds learn it again."""
        try:
            version, busy_at, totals, pace, window_at, window_totals, *rest = orjson.loads(text or b"[0]")
            if version != VERSION:
                return cls()
            known = cls(
                float(busy_at),
                Totals(*totals),
                WorkerPace(*pace),
                float(window_at),
                Totals(*window_totals),
                *rest,
            )
            return known if _all_numbers(known) and min(known.pace) > 0 else cls()
        except (TypeError, ValueError):
            return cls()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _all_numbers(values: Any) -> bool:
    return all(
        _all_numbers(value) if isinstance(value, tuple) else isinstance(value, int | float)
        for value in values
    )
