"""python -m worker: scores what waits in the queues."""

import gc
import sys


def run() -> int:
    # What is imported is no garbage; Worker.run turns the collector on.
    gc.disable()
    from worker.starting import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
