"""python -m ops dead: lists, shows, replays and drops what was given up."""

import argparse
from collections.abc import Iterator
from functools import partial
from itertools import islice

from jobs.batches.retry import BatchRetries
from jobs.batches.store import BatchStore
from jobs.dead.letters import DeadLetters
from jobs.dead.resource import dead_letter
from jobs.dead.wiring import dead_letters
from jobs.errors import NotRetryable, UnknownLetter
from jobs.files.location import files_at
from jobs.predictions.store import PredictionStore
from jobs.queues.celery_app import make_celery
from jobs.queues.connection import connect
from jobs.queues.names import BATCHES, PREDICTIONS
from jobs.queues.queue import send_wake_up
from jobs.settings import Settings
from ops.numbers import positive_int
from ops.render import as_json, members, table
from ops.stored_jobs import Resource, StoredJobs
from ops.verbs import Verb, act_on_each, id_argument, ids_argument

HELP = "list, show, replay or drop what was given up: jobs and webhooks"


def list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--owner", metavar="NAME", help="only the letters of this owner")
    parser.add_argument("--reason", metavar="TYPE", help="only those with this reason, such as worker_lost")
    parser.add_argument(
        "--limit", type=positive_int, default=100, metavar="N", help="at most so many (%(default)s)"
    )


def run_list(options: argparse.Namespace, settings: Settings) -> int:
    """Lists what was given up, the newest first."""
    found = islice(_wanted(_connect(settings), options.owner, options.reason), options.limit)
    if options.json:
        for letter in found:
            print(as_json(letter))
    else:
        print("\n".join(table(("id", "owner", "reason", "attempts", "given up"), map(_cells, found))))
    return 0


def run_show(options: argparse.Namespace, settings: Settings) -> int:
    """Shows a dead letter and its job."""
    letter = dead_letter(_connect(settings).find(options.id))
    job = StoredJobs.connect(settings).show(letter["job"])
    shown = letter | {"resource": job}
    print(as_json(shown) if options.json else "\n".join(members(shown)))
    return 0


def run_replay(options: argparse.Namespace, settings: Settings) -> int:
    """Tries letters again: each job as a new job (its retry_of names the old one), each webhook as it is."""
    letters = _connect(settings)

    def replay(letter_id: str) -> None:
        new_id = letters.replay(letter_id)
        print(as_json({"id": letter_id, "replayed_as": new_id}) if options.json else f"{letter_id} {new_id}")

    return act_on_each(options.ids, replay, UnknownLetter, NotRetryable)


def run_drop(options: argparse.Namespace, settings: Settings) -> int:
    """Takes letters off the list. Their jobs stay as they are until they expire."""
    letters = _connect(settings)

    def drop(letter_id: str) -> None:
        letters.drop(letter_id)
        print(as_json({"id": letter_id, "dropped": True}) if options.json else f"{letter_id} dropped")

    return act_on_each(options.ids, drop, UnknownLetter, NotRetryable)


def _connect(settings: Settings) -> DeadLetters:
    redis, celery = connect(settings), make_celery(settings)
    return dead_letters(
        redis,
        PredictionStore(redis, settings),
        BatchRetries(BatchStore(redis, settings), files_at(settings.files_location)),
        partial(send_wake_up, celery, PREDICTIONS),
        partial(send_wake_up, celery, BATCHES),
    )


def _wanted(letters: DeadLetters, owner: str | None, reason: str | None) -> Iterator[Resource]:
    for letter in map(dead_letter, letters.all()):
        if owner in (None, letter["owner"]) and reason in (None, letter["reason"]["type"]):
            yield letter


def _cells(letter: Resource) -> list[object]:
    return [
        letter["id"],
        letter["owner"],
        letter["reason"]["type"],
        letter["attempts"],
        letter["given_up_at"],
    ]


VERBS = (
    Verb(
        "list",
        "list what was given up",
        """\
  python -m ops dead list
  python -m ops dead list --owner alice --reason model_unavailable --json
""",
        list_arguments,
        run_list,
    ),
    Verb("show", "show a letter", "  python -m ops dead show pred_0193a4c5-…\n", id_argument, run_show),
    Verb(
        "replay",
        "try letters again",
        """\
  python -m ops dead replay pred_0193a4c5-…
  python -m ops dead list --reason worker_lost --json |
    jq -r .id | xargs python -m ops dead replay
""",
        ids_argument,
        run_replay,
    ),
    Verb(
        "drop",
        "take letters off the list",
        "  python -m ops dead drop msg_pred_0193a4c5-…\n",
        ids_argument,
        run_drop,
    ),
)
