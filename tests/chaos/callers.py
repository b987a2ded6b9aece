"""Callers of the API: they post, repeat what was not answered, poll, cancel, delete."""

import random
import threading
import time
from typing import Any

import requests

from tests.chaos.ledger import FINAL, ChaosLedger, Posted
from tests.integration.models import LADDER, STEPS

LONGEST_ANSWER = 8.0
"""Shorter than many a stop: answers get lost."""
MOST_ROWS = 40


class ChaosCaller(threading.Thread):
    """Posts one job after the other until it is stopped; then it repeats only what is still open."""

    def __init__(self, address: str, ledger: ChaosLedger, name: str, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.address = address
        self.ledger = ledger
        self.chance = random.Random(f"{seed} {name}")  # noqa: S311 (no secret)
        self.stopped = threading.Event()
        self.session = requests.Session()

    def run(self) -> None:
        number = 0
        while not self.stopped.wait(self.pause()):
            self.call(f"{self.name}-{number}")
            number += 1
        self.session.close()

    def pause(self) -> float:
        return self.chance.uniform(0.01, 0.2)

    def call(self, tag: str) -> None:
        """Wants one job, and does with it what callers do."""
        is_list = self.chance.random() < 0.3
        rows = self.chance.randrange(1, MOST_ROWS) if is_list else 1
        key = tag if self.chance.random() < 0.7 else ""
        first = self.chance.randrange(STEPS)
        explain = self.chance.random() < 0.15
        posted = self.ledger.wants(Posted(tag, "/v1/predictions", first, rows, is_list, explain, key=key))
        steps = [{"step": number % STEPS} for number in range(first, first + rows)]
        inputs: Any = steps if is_list else steps[0]
        wait = self.chance.choice([0, 0, 1, 5])
        body = {"model": LADDER, "inputs": inputs, "explain": explain, "metadata": {"tag": tag}}
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        if self.post(posted, headers, json=body):
            self.follow(posted)

    def post(self, posted: Posted, headers: dict[str, str], **options: Any) -> bool:
        """With a key again and again until it is answered, else once."""
        if posted.key:
            headers = {**headers, "Idempotency-Key": posted.key}
        while True:
            answer = self.request("POST", posted.path, headers=headers, **options)
            if answer is not None and answer.status_code in (200, 202):
                self.ledger.note(posted, answer.json())
                return True
            if not posted.key:
                return False
            time.sleep(self.chance.uniform(0.2, 1))

    def follow(self, posted: Posted) -> None:
        [job_id] = list(posted.ids)[:1]
        place = f"{posted.path.partition('?')[0]}/{job_id}"
        what = self.chance.random()
        if what < 0.1:
            posted.may_be_canceled = True
            self.tell(posted, self.request("POST", f"{place}/cancel"))
        elif what < 0.7:
            while not (posted.told or self.stopped.is_set()):
                wait = self.chance.choice(["", "?wait=1", "?wait=5"])
                self.tell(posted, self.request("GET", place + wait))
                self.stopped.wait(0.1)
            if what < 0.2 and posted.told:
                posted.may_be_gone = True
                self.request("DELETE", place)

    def tell(self, posted: Posted, answer: requests.Response | None) -> None:
        if answer is not None and answer.status_code in (200, 202):
            self.ledger.note(posted, answer.json())

    def request(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """None if there was no whole answer."""
        try:
            answer = self.session.request(method, self.address + path, timeout=LONGEST_ANSWER, **options)
        except requests.RequestException:
            return None
        self.ledger.note_status(f"{method} {path}", answer.status_code, answer.text)
        return answer


class Probe(ChaosCaller):
    """Asks, once the faults are over, whether the service scores again."""

    def scores(self) -> bool:
        body = {"model": LADDER, "inputs": {"step": 7}}
        answer = self.request("POST", "/v1/predictions", json=body, headers={"Prefer": "wait=5"})
        return answer is not None and answer.status_code == 200 and answer.json()["status"] in FINAL
