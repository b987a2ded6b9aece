"""The command line does not import web; here its constants are compared with those of web."""

import pytest
from pydantic import ValidationError

from ecs import invariants
from jobs.settings import Settings
from web import process_limits, server, submission


def test_the_timeouts_match_those_of_web() -> None:
    assert submission.LONGEST_WAIT_SECONDS == invariants.API_MAX_WAIT_SECONDS < invariants.MAX_WAIT_SECONDS
    assert Settings(waking_wait_seconds=invariants.MAX_WAIT_SECONDS)
    with pytest.raises(ValidationError):
        Settings(waking_wait_seconds=invariants.MAX_WAIT_SECONDS + 1)
    assert process_limits.IDLE_SECONDS == invariants.WEB_KEEPALIVE_SECONDS
    assert server.GRACE_SECONDS + server.IDLE_SECONDS < invariants.WEB_SHUTDOWN_SECONDS
