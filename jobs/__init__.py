"""The contract between web and worker: what a job is, where it waits, how it is recorded.

A job is a request for scores; it has an id, a status, a record and an owner. It waits in the line,
a Redis stream; the wake_up, a Celery message that carries no job, says that something waits. The record
is the one truth about a job.
"""

RELEASE = "0.1.0"
"""As in pyproject.toml."""
