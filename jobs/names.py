"""The names that web, worker and Redis share. Those of records and lists are in scripts/job.lua."""

SCORE_PREDICTIONS = "score_predictions.v1"
"""The Celery task that a bell for predictions starts."""

PREDICTIONS = "predictions"
"""The Celery queue of those bells."""

LINE = "line:predictions"
"""The stream where predictions wait."""

GROUP = "workers"
"""The consumer group of the line: all children of all workers."""


def channel_of(web_process: str) -> str:
    """Where the ids of ended jobs are published for those who wait at this web process."""
    return f"ended:{web_process}"
