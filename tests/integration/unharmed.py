"""What hostile callers leave as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.simulation.promises import left_in_queues

ENDS_WITHIN_SECONDS = 300
"""What was accepted; the timeout of a test must be longer, so that this is what fails."""
UNFORESEEN = ("unexpected_error", "loop_failed", "worker_ended")


@contextmanager
def unharmed(stack: Stack) -> Iterator[None]:
    """Fails if a process of web or worker died meanwhile, an error was unforeseen, or work does not end."""
    services = [stack.web, *stack.workers]
    processes = {pid for service in services for pid in (service.pid, *service.children())}
    yield
    assert all(service.alive for service in services)
    assert processes <= {pid for service in services for pid in (service.pid, *service.children())}
    wait_until("all that was accepted has ended", lambda: not left(stack), within=ENDS_WITHIN_SECONDS)
    assert [line for service in services for event in UNFORESEEN for line in service.events(event)] == []


def left(stack: Stack) -> list[str]:
    """The work that has not ended, in words."""
    batches = stack.redis.scard("batches:open")
    return [*left_in_queues(stack.redis), *([f"{batches} batches are open"] if batches else [])]
