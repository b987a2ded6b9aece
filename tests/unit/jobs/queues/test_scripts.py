"""The header of a script is its interface: the loader, the script and every call in Python agree on it."""

import re
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from jobs.queues.names import BATCH, PREDICTION, Kind
from jobs.queues.script_calls import Script
from jobs.queues.scripts import ACCEPTING, ROOT, Source, load, names
from tests.unit.jobs.queues.script_calls import Call, callers, calls

NAMES = list(names())
LUA_FILES = [file for file in sorted(ROOT.rglob("*.lua")) if file.stem != "common"]
WITH_A_KIND = [
    (name, kind)
    for name in NAMES
    for kind in ((PREDICTION, BATCH) if name in ("queues/give_up", "queues/list", "queues/read") else (None,))
]
DIRECTIVES = ["include", "args", "item", "returns"]


def text_of(name: str) -> str:
    folder, _, stem = name.partition("/")
    return (ROOT / folder / "scripts" / f"{stem}.lua").read_text()


def body_of(name: str) -> str:
    """The Lua of a script without comments."""
    return re.sub(r"--.*", "", text_of(name))


@pytest.mark.parametrize(("name", "kind"), WITH_A_KIND)
def test_every_header_parses(name: str, kind: Kind | None) -> None:
    directives = re.findall(r"^-- @(\w+)", text_of(name), re.MULTILINE)
    source = load(name, kind)
    assert [each for each in DIRECTIVES if each in directives] == directives
    assert {"include", "args", "returns"} <= set(directives)
    assert all(each.isidentifier() for each in (*source.arguments, *source.item, *source.returns))
    assert len(set(source.arguments)) == len(source.arguments)
    assert len(set(source.item)) == len(source.item)
    assert "kind" in text_of(name).split("@include")[1].splitlines()[0].split() or kind is None


@pytest.mark.parametrize(("name", "kind"), WITH_A_KIND)
def test_a_script_begins_with_its_flags_and_includes_what_it_uses(name: str, kind: Kind | None) -> None:
    source = load(name, kind)
    assert source.text.startswith("#!lua flags=allow-oom\n") is (name.partition("/")[2] != ACCEPTING)
    assert source.text.endswith(text_of(name))


@pytest.mark.parametrize("file", LUA_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_includes_nothing_that_it_does_not_use(file: Path) -> None:
    text = file.read_text()
    for part in " ".join(re.findall(r"^-- @include (.*)", text, re.MULTILINE)).split():
        kinds = [kind.definitions for kind in (PREDICTION, BATCH)] if part == "kind" else [part]
        for name in kinds:
            defined = re.findall(
                r"^local (?:function )?(\w+)", (ROOT / f"{name}.lua").read_text(), re.MULTILINE
            )
            assert set(defined) & set(re.findall(r"\w+", re.sub(r"--.*", "", text))), name


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_of_a_header_is_used(name: str) -> None:
    source = load(name, PREDICTION)
    body = body_of(name)
    assert [each for each in source.arguments if not re.search(rf"(?<![.\w]){each}\b", body)] == []


@pytest.mark.parametrize("name", [name for name in NAMES if load(name, PREDICTION).item])
def test_every_member_of_an_item_is_used(name: str) -> None:
    body = body_of(name)
    assert "in items() do" in body
    assert [each for each in load(name, PREDICTION).item if not re.search(rf"\.{each}\b", body)] == []


CALLS = sorted(calls())


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.where}:{call.script}")
def test_every_call_passes_the_arguments_of_the_header(call: Call) -> None:
    source = load(call.script, PREDICTION)
    assert call.arguments == set(source.arguments)
    assert call.has_items is bool(source.item)


def test_every_script_is_called() -> None:
    assert {call.script for call in CALLS} == set(NAMES)


def test_no_script_is_made_outside_the_classes_that_are_checked() -> None:
    bound = sum(len(caller.scripts) for caller in callers().values())
    made = sum(len(re.findall(r"\bScript\(redis", file.read_text())) for file in ROOT.rglob("*.py"))
    assert bound == made


@pytest.fixture
def script(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Script:
    return scripted(
        redis,
        monkeypatch,
        arguments=("first", "second"),
        item=("name", "rows"),
        returns=("total", "names"),
        text="""
        local total, names = 0, {}
        for at = 3, #ARGV, 2 do
          names[#names + 1], total = ARGV[at], total + ARGV[at + 1]
        end
        return {total + ARGV[1] * ARGV[2], names}
        """,
    )


def scripted(redis: Redis, monkeypatch: pytest.MonkeyPatch, **source: Any) -> Script:
    """A script that is not in a file."""
    monkeypatch.setattr(
        "jobs.queues.script_calls.load", lambda *_: Source("test", returns_list=False, **source)
    )
    return Script(redis, "test")


def test_arguments_and_items_reach_the_script_in_the_order_of_its_header(script: Script) -> None:
    reply = script([("a", 1), ("b", 2)], second=10, first=4)
    assert (reply.total, reply.names) == (43, [b"a", b"b"])
    assert script.item == ("name", "rows")


@pytest.mark.parametrize("wrong", [{}, {"first": 1}, {"first": 1, "second": 2, "third": 3}])
def test_a_missing_or_unknown_argument_raises_type_error(script: Script, wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="first"):
        script(**wrong)


def test_a_call_in_a_pipeline_passes_the_same_arguments(script: Script, redis: Redis) -> None:
    script(first=0, second=0)
    pipeline = redis.pipeline(transaction=False)
    script.add_to(pipeline, [("a", 5)], first=1, second=2)
    [reply] = pipeline.execute()
    assert script.read(reply)._asdict() == {"total": 7, "names": [b"a"]}
    with pytest.raises(TypeError):
        script.add_to(pipeline, first=1)


def test_a_script_with_one_result_returns_it_bare(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    one = scripted(redis, monkeypatch, arguments=(), item=(), returns=("status",), text="return 'queued'")
    assert one() == b"queued"
    none = scripted(redis, monkeypatch, arguments=(), item=(), returns=("a", "b"), text="return false")
    assert none() is None


def test_each_result_of_a_list_has_its_names(redis: Redis) -> None:
    claim = Script(redis, "predictions/claim")
    [claimed] = claim.read([[f"value of {name}" for name in load("predictions/claim").returns]])
    assert claimed.entry == "value of entry"
    assert claimed.given_up == "value of given_up"


def test_members_of_items_have_their_names_and_types_in_lua(redis: Redis) -> None:
    source = load("predictions/add")
    text = source.text
    prologue = text[text.index("local max_waiting") : text.index("-- Accepts predictions")]
    check = (
        "local seen = {}\n"
        "for number, job in items() do seen[number] = {number, job.id, type(job.rows), job.body} end\n"
        "return {type(max_waiting), type(wake_up_name), seen}"
    )
    item = dict.fromkeys(source.item, "x") | {"id": "pred_1", "rows": "3", "body": "b"}
    reply = redis.eval(prologue + check, 0, *range(len(source.arguments)), *item.values(), *item.values())
    assert reply == [b"number", b"string", [[1, b"pred_1", b"number", b"b"], [2, b"pred_1", b"number", b"b"]]]


def test_names_finds_every_script() -> None:
    assert set(NAMES) == {f"{file.parent.parent.name}/{file.stem}" for file in ROOT.rglob("scripts/*.lua")}
