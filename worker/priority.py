"""Work that nobody waits for at this moment gives way to all other."""

import os
from contextlib import suppress


def give_way() -> None:
    """From now on this thread, and those that it starts, run when no other wants the processor.

    Niceness alone would let it finish its slice, some milliseconds, before a prediction gets its turn.
    """
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
