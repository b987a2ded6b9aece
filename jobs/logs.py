"""Logs: one line an event, to standard error. Ids, counts and times; never what a caller sent."""

import logging


def log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("celery", "kombu", "gunicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
