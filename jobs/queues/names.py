"""The names that web, worker and Redis share. Those of records and lists are in scripts/job.lua."""

SCORE_PREDICTIONS = "score_predictions.v1"
"""The Celery task that a wake_up for predictions starts."""

PREDICTIONS = "predictions"
"""The Celery queue of those wake_ups."""

SCORE_BATCHES = "score_batches.v1"
"""The Celery task that a wake_up for batches starts."""

BATCHES = "batches"
"""The Celery queue of those wake_ups."""

BATCH_LINE = "line:batches"
"""The stream where the tasks of batches wait."""

LINE = "line:predictions"
"""The stream where predictions wait."""

AGAIN = f"{LINE}:again"
"""The stream where predictions wait whose worker was lost."""

EXPLAINED = f"{LINE}:explained"
"""The stream where those wait whose predictions are to be explained, which takes longer."""

STREAMS = (LINE, AGAIN, EXPLAINED, f"{EXPLAINED}:again")
"""All of them."""

ROWS = f"{LINE}:rows"
"""How many rows wait in both."""

BELLS = "wake_ups"
"""The sorted set of the wake_ups for predictions that are out, or being answered."""

CHILDREN = "children"
"""The sorted set of the children of workers that live."""

EXPLAINERS = "explainers"
"""That of their threads that explain."""

BATCH_CHILDREN = "batches:children"
"""That of those for batches."""

WEBS = "webs"
"""That of the web processes."""

GROUP = "workers"
"""The consumer group of the line: all children of all workers."""


def channel_of(web_process: str) -> str:
    """Where it is published how jobs ended, for those who wait at this web process."""
    return f"ended:{web_process}"
