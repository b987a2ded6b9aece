"""The command line imports nothing of web; what it says of web is held to web here."""

from ecs import invariants
from web import connection, server, submission


def test_the_times_are_those_of_web() -> None:
    assert submission.LONGEST_WAIT_SECONDS == invariants.LONGEST_WAIT_SECONDS
    assert connection.TIMEOUT_SECONDS == invariants.WEB_KEEPS_SECONDS
    assert server.GRACE_SECONDS + server.IDLE_SECONDS < invariants.WEB_ENDS_WITHIN_SECONDS
