"""Tables for people, and resources in them."""

from paygrade import Output, Resource
from paygrade.commands.render import capacity_lines, cell, job_lines, list_lines, output_lines, pairs, table

from tests.unit.client.played_service import batch, prediction

NOW = {
    "waiting": 2,
    "rows": 30,
    "claimed": 1,
    "oldest_age_seconds": 0.25,
    "workers": 1,
    "children": 2,
    "rows_per_second": 900,
    "releases": ["0.1.0"],
    "accepting": False,
    "batches": {
        "open": 3,
        "waiting": 40,
        "claimed": 2,
        "oldest_age_seconds": 0.5,
        "children": 2,
        "rows_per_second": 70_000,
    },
}


def test_a_table_is_aligned_without_trailing_spaces() -> None:
    assert table(("a", "long"), [("wide", None), ("x", 1)]) == ["a     long", "wide", "x     1"]


def test_a_table_without_rows_has_its_head() -> None:
    assert table(("a", "b"), []) == ["a  b"]


def test_pairs_leave_out_missing_values() -> None:
    assert pairs([("id", "x"), ("longer", None), ("so", False)]) == ["id  x", "so  no"]
    assert pairs([]) == []


def test_control_characters_are_escaped() -> None:
    assert cell("a\x1b[2Jb\n\x9bc\u202e") == r"a\x1b[2Jb\n\x9bc\u202e"
    assert cell("grün") == "grün"
    assert cell({"a": [1, None]}) == '{"a": [1, null]}'


def test_each_row_stands_beside_its_output() -> None:
    rows: list[Resource] = [{"years": "2.5"}, {"years": None, "level": "7"}, {}]
    error: Output = {"error": {"type": "not_scored", "detail": "why"}}
    outputs: list[Output] = [
        {"prediction": 260.00012},
        {"prediction": 1.5, "warnings": ["high", "low"]},
        error,
    ]
    assert output_lines(rows, outputs) == [
        "years  level  prediction  warnings   error",
        "2.5           260.00012",
        "       7      1.5         high; low",
        "                                     not_scored: why",
    ]


def test_a_prediction_is_shown_with_all_its_members() -> None:
    known = prediction("queued", queue={"position": 3, "eta_seconds": 0.25}, metadata={"who": "ann\n"})
    assert job_lines(known) == [
        "id            pred_01a20185-eaa7-7fbf-80d5-252d88bcb074",
        "status        queued",
        "model         salary@1",
        "created       2026-11-22T04:31:23.303Z",
        "queue         position 3, 0.2 s to go",
        r"metadata who  ann\n",
    ]


def test_outputs_come_last_one_or_many() -> None:
    assert job_lines(prediction("succeeded", output={"prediction": 1.5}))[-2:] == ["prediction", "1.5"]
    many = prediction("succeeded", outputs=[{"prediction": 1.5}, {"prediction": 2}])
    assert job_lines(many)[-3:] == ["prediction", "1.5", "2"]


def test_a_list_shows_how_long_each_job_took_and_why_it_failed() -> None:
    failed = prediction("failed", error={"type": "worker_lost", "detail": "why"})
    head, first, second = list_lines([prediction("queued"), failed])
    assert head.split() == ["id", "status", "model", "created", "seconds", "error"]
    assert first.endswith("303Z")
    assert second.split()[-2:] == ["0.500", "worker_lost"]


def test_a_batch_is_shown_with_its_counts() -> None:
    lines = job_lines(batch("succeeded", succeeded=1200) | {"progress": 1.0})
    assert "rows      1,200 scored, 0 failed, of 1,200" in lines
    assert "progress  100%" in lines


def test_the_capacity_is_one_line_for_each_figure() -> None:
    lines = capacity_lines(NOW)
    assert lines[0] == "waiting    2 jobs, 30 rows"
    assert "accepting  no" in lines
    assert lines[-2:] == [
        "batches    3 open; 2 children, 70000 rows/s",
        "chunks     40 waiting, 2 claimed; oldest 0.5 s",
    ]
