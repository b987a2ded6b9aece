"""One caller who posts all that it can: 1,000 batches of a row, and lists of 1,000 rows.

Run as a process of its own: `python -m benchmarks.flood PORT KEY`. It writes `flooding` when the batches and
200,000 rows are posted, goes on with lists until its input ends, and then writes as JSON what was accepted.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from benchmarks import batch
from benchmarks.load import LIST_ROWS, PATH, WAITED_LIST

BATCHES, ROWS = 1_000, 200_000
CONNECTIONS = 2
PAUSE_SECONDS = 0.05
"""After a refusal: the key has as many rows waiting as it may have."""
LIST = WAITED_LIST.body([number / 50 for number in range(LIST_ROWS)])


def main(port: int, key: str) -> None:
    stopped = threading.Event()
    threading.Thread(target=_wait_for_end_of_input, args=(stopped,), daemon=True).start()
    with batch.service_at(port) as service:
        service.headers["X-API-Key"] = key
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda _: batch.post_rows(service, [{"years": 2.5}], "salary"), range(BATCHES)))
        rows = 0
        while not stopped.is_set():
            rows += _post_list(service)
            if rows == ROWS:
                print("flooding", flush=True)
    print(json.dumps({"batches": BATCHES, "rows": rows}), flush=True)


def _wait_for_end_of_input(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


def _post_list(service: httpx.Client) -> int:
    """The rows that were accepted."""
    headers = {"Content-Type": "application/json"}
    answer = service.post(PATH, content=LIST, headers=headers)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        time.sleep(PAUSE_SECONDS)
        return 0
    answer.raise_for_status()
    return LIST_ROWS


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
