"""Web that is killed whenever it would delete a message."""

import os
import signal
import sys

from web import __main__ as web
from web.events import aws
from web.events.queue import Message


def killed(self: aws.SqsEventQueue, message: Message) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    vars(aws)["VISIBLE_AGAIN_SECONDS"] = 2
    aws.SqsEventQueue.delete = killed  # type: ignore[method-assign]
    sys.exit(web.main())
