"""The contract between web and worker: what a job is, where it waits, how it is recorded.

A job is a request for scores; it has an id, a status, a record and an owner. It waits in a queue,
a Redis stream. A wake-up, a Celery message that carries no job, makes an idle worker look at its
queue. The record is the only truth about a job.
"""

RELEASE = "0.1.0"
"""The version in pyproject.toml."""
