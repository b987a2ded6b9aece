"""XGBoost's library is called as its C interface asks: by threads, without leaks, with errors that tell."""

import gc
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ctypes import byref
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

from model.engines import xgboost
from model.engines.engine import Floats
from model.engines.xgboost import (
    Booster,
    EngineError,
    Text,
    XGBoostEngine,
    _Proxy,
    installed_version,
    silence,
)
from tests.unit.model.engines.forests import Trained, hard_rows, train
from tests.unit.model.engines.test_same_bits import engine_of, same_bits

SALARY = Path("model/bundles/salary/1/model.ubj")


def test_the_version_is_that_of_the_installed_package() -> None:
    found = []
    for name in ("xgboost-cpu", "xgboost"):
        try:
            found.append(version(name))
        except PackageNotFoundError:
            continue
    assert installed_version() in found


WITHOUT = """
import sys
for name in ("scipy", "pyarrow", "pandas", "sklearn"):
    sys.modules[name] = None
import numpy as np
from model.engines.xgboost import Booster, XGBoostEngine
engine = XGBoostEngine(Booster(open(sys.argv[1], "rb").read()), 100)
print(engine.score(np.array([[2.5]], np.float32)), engine.explain(np.array([[2.5]], np.float32)).margins)
print("xgboost" in sys.modules)
"""


@pytest.mark.process
def test_scoring_and_explaining_import_no_package_but_numpy() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT, SALARY], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["[260.00012] [260.00012]", "False"]


def test_a_refused_call_is_an_error_with_the_words_of_xgboost() -> None:
    engine = engine_of(train("reg:squarederror"))
    with pytest.raises(EngineError, match="feature") as refused:
        engine.score(np.zeros((2, 9), dtype=np.float32))
    assert "Stack trace" not in str(refused.value)
    assert engine.score(np.zeros((2, 5), dtype=np.float32)).shape == (2,)


def test_a_message_that_quotes_bytes_of_a_file_is_readable() -> None:
    with pytest.raises(EngineError):
        Booster(b'{"\xff\xfe": 1}')


def test_a_base_margin_is_forgotten_after_its_call() -> None:
    trained = train("base margin")
    rows, engine = hard_rows(trained, 60, 1), engine_of(trained)
    without = engine.score(rows)
    for size in (60, 1, 7, 30):
        margin = np.full(size, 2, dtype=np.float32)
        assert not same_bits(engine.score(rows[:size], margin), without[:size])
        assert same_bits(engine.score(rows[:size]), without[:size])
    with pytest.raises(EngineError, match="base_margin"):
        engine.score(rows, np.zeros(7, dtype=np.float32))


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(xgboost, "find_spec", lambda _: None)
    with pytest.raises(EngineError, match=r"XGBoost is not installed, or lacks lib/libxgboost\.\w+; install"):
        xgboost._library_file()


def test_silence_ends_with_what_was_before() -> None:
    def verbosity() -> bytes:
        config = Text()
        xgboost.library().XGBGetGlobalConfig(byref(config))
        return config.value or b""

    before = verbosity()
    xgboost.library().XGBSetGlobalConfig(b'{"verbosity":2}')
    try:
        with silence():
            assert b'"verbosity":0' in verbosity()
        assert b'"verbosity":2' in verbosity()
    finally:
        xgboost.library().XGBSetGlobalConfig(before)


@pytest.mark.parametrize("kind", ["softprob", "dart", "linear"])
def test_threads_that_score_and_explain_at_once_get_their_own_rows(kind: str) -> None:
    trained = train(kind)
    engine, rows = engine_of(trained), hard_rows(trained, 600, 3)
    scores, explained = engine.score(rows), engine.explain(rows)
    together = threading.Barrier(4)

    def work(number: int) -> bool:
        together.wait()
        same = True
        for turn in range(60):
            part = slice(number * 100 + turn, number * 100 + turn + 1 + turn % 7)
            same &= same_bits(engine.score(rows[part]), scores[part])
            same &= same_bits(engine.explain(rows[part]).contributions, explained.contributions[part])
        return same

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


def test_a_thread_that_ends_leaves_nothing_behind() -> None:
    def proxies() -> int:
        gc.collect()
        return sum(type(one) is _Proxy for one in gc.get_objects())

    trained = train("reg:squarederror")
    engine, rows = engine_of(trained), hard_rows(trained, 3, 1)
    engine.score(rows)
    before = proxies()
    for _ in range(5):
        thread = threading.Thread(target=engine.score, args=(rows,))
        thread.start()
        thread.join()
    assert proxies() == before
    del engine
    assert proxies() == before - 1


EXITING = """
import sys, threading
import numpy as np
from model.engines.xgboost import Booster, XGBoostEngine
engine = XGBoostEngine(Booster(open(sys.argv[1], "rb").read()), 100)
rows, begun = np.ones((200_000, 1), np.float32), threading.Event()
def explain():
    while True:
        engine.explain(rows[:10])
        begun.set()
        engine.explain(rows)
threading.Thread(target=explain, daemon=True).start()
begun.wait()
"""


@pytest.mark.process
def test_a_process_may_end_while_a_thread_explains() -> None:
    ran = subprocess.run([sys.executable, "-c", EXITING, SALARY], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def grown_mib(times: int, act: Callable[[], object]) -> float:
    """By how much the most memory that the process ever had grows, after a first tenth of the calls."""
    for _ in range(times // 10):
        act()
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(times - times // 10):
        act()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024


def small(trained: Trained) -> tuple[XGBoostEngine, Floats]:
    return engine_of(trained), hard_rows(trained, 1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "times"), [("reg:squarederror", 1_000_000), ("dart", 200_000)])
def test_a_million_calls_take_no_more_memory_than_the_first(kind: str, times: int) -> None:
    engine, row = small(train(kind))
    assert grown_mib(times, lambda: engine.score(row)) < 2


@pytest.mark.slow
def test_explanations_base_margins_and_refusals_take_no_more_memory() -> None:
    engine, row = small(train("base margin"))
    margin, wrong = np.ones(1, dtype=np.float32), np.zeros((1, 9), dtype=np.float32)

    def act() -> None:
        engine.explain(row, margin)
        engine.score(row, margin)
        with pytest.raises(EngineError):
            engine.score(wrong)

    assert grown_mib(50_000, act) < 2


@pytest.mark.slow
def test_engines_that_are_dropped_give_their_memory_back() -> None:
    trained = train("softprob")
    row = hard_rows(trained, 1, 1)
    assert grown_mib(5_000, lambda: engine_of(trained).score(row)) < 8
