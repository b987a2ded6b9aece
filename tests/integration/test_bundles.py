"""A worker that cannot serve the default bundle says why, takes no work, and goes on once it can."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from model.description.files import DESCRIPTION_FILE, MODEL_FILE
from model.description.manifest import digest
from tests.integration.callers import Caller
from tests.integration.service import Service, wait_until
from tests.integration.stack import BUNDLES, Stack, copy_of_bundles

SALARY = Path("salary") / "1"


def cut_short(bundle: Path) -> None:
    model = bundle / MODEL_FILE
    model.write_bytes(model.read_bytes()[:-100])


def make_pickle(bundle: Path) -> None:
    (bundle / MODEL_FILE).rename(bundle / "model.pkl")


def tell_other_scores(bundle: Path) -> None:
    file = bundle / DESCRIPTION_FILE
    description = json.loads(file.read_text())
    description["golden"]["predictions"][0] += 1
    description["sha256"] = digest(description, bundle / MODEL_FILE)
    file.write_text(json.dumps(description))


def remove_all(bundle: Path) -> None:
    shutil.rmtree(bundle.parents[1])


DAMAGES: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "cut short": (cut_short, "sha256 does not match"),
    "a pickle": (make_pickle, "pickle"),
    "other golden rows": (tell_other_scores, "golden rows"),
    "no directory": (remove_all, "not a directory"),
}


@dataclass
class Damaged:
    stack: Stack
    worker: Service
    bundles: Path
    job_id: str
    mended: bool = False

    def mend(self) -> None:
        if not self.mended:
            shutil.copytree(BUNDLES, self.bundles, dirs_exist_ok=True)
            self.mended = True


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Damaged]]:
    """For each damage a stack whose worker alone meets it; all at once, since mending takes a while."""
    started = {}
    for name, (damage, _) in DAMAGES.items():
        folder = tmp_path_factory.mktemp("damaged")
        bundles = copy_of_bundles(folder / "bundles")
        damage(bundles / SALARY)
        stack = Stack(folder / "stack").__enter__()
        stack.start_web()
        caller = Caller(stack.address)
        worker = stack.start_worker(PAYGRADE_BUNDLES=str(bundles))
        started[name] = Damaged(stack, worker, bundles, caller.accepted({"years": 2.5}))
        caller.close()
    yield started
    for one in started.values():
        one.stack.__exit__(None, None, None)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_worker_says_in_one_line_why_it_takes_no_work(damaged: dict[str, Damaged], name: str) -> None:
    case = damaged[name]
    wait_until("it says why", lambda: case.worker.events("takes_no_work"), within=20)
    assert DAMAGES[name][1] in case.worker.events("takes_no_work")[0]["error"]
    assert "Traceback" not in case.worker.says()
    assert not case.worker.events("ready")
    assert not (case.stack.data / "worker.heartbeat").exists()
    record = case.stack.record(case.job_id)
    assert (record.status, record.attempt) == ("queued", 0)


@pytest.mark.parametrize("name", DAMAGES)
def test_it_goes_on_without_a_restart_once_the_bundle_is_mended(
    damaged: dict[str, Damaged], name: str
) -> None:
    for each in damaged.values():
        each.mend()
    case = damaged[name]
    caller = Caller(case.stack.address)
    done = caller.ended(case.job_id)
    caller.close()
    assert done["output"] == {"prediction": 260.00012}
    assert (case.stack.data / "worker.heartbeat").exists()
    assert case.worker.alive
