"""Steps as a bundle holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Added, Program
from paygrade.saving.raw import RawColumn, as_text


@dataclass(frozen=True)
class Written:
    """Steps as a bundle holds them, and the columns of the sample that they are made for.

    There are no steps where XGBoost is given these columns as they are.
    """

    steps: dict[str, Any] | None
    columns: list[RawColumn]


def write_steps(
    program: Program, outputs: Sequence[int], names: Sequence[str], missing: float | None
) -> Written:
    """Return the steps that lead to the outputs; raises SaveRefused."""
    for output in outputs:
        if program[output].text_of:
            raise SaveRefused(
                f"column {program[output].label!r} holds text, and reaches XGBoost without an encoder; "
                "encode it"
            )
    steps = _needed(program.steps, outputs)
    if not steps and list(outputs) == sorted(program.raw):
        return Written(None, [program.raw[number] for number in outputs])
    for number, column in program.raw.items():
        if column.as_text:
            _make_text(number, column, steps, outputs)
    renumbered = {number: position for position, number in enumerate(sorted(program.raw))}
    for step in steps:
        for number in step.made:
            renumbered[number] = len(renumbered)
    written = {
        "steps": [
            {
                "kind": step.kind,
                "of": [renumbered[number] for number in step.of],
                **step.members,
                **(step.table.render(program[step.of[0]].text_of) if step.table else {}),
            }
            for step in steps
        ],
        "output": [renumbered[output] for output in outputs],
        "names": list(names),
        **({} if missing is None else {"missing": missing}),
    }
    return Written(written, [program.raw[number] for number in sorted(program.raw)])


def _needed(steps: Sequence[Added], outputs: Sequence[int]) -> list[Added]:
    """Leave out what only changes between dense and sparse, and is not used."""
    used = {*outputs, *(number for step in steps for number in step.of)}
    return [step for step in steps if step.kind != "sparse" or used.intersection(step.made)]


def _make_text(number: int, column: RawColumn, steps: Sequence[Added], outputs: Sequence[int]) -> None:
    """A number that must be one of a list becomes a category, if nothing calculates with it."""
    tables = [step.table for step in steps if number in step.of]
    if column.type == "boolean":
        known = all(table is not None and {0, 1} <= set(table.known) for table in tables)
        if known or number in outputs:
            return
    if column.type == "boolean" or number in outputs or None in tables:
        raise SaveRefused(
            f"an encoder of {column.name!r} raises for values that it does not know, and other steps use the "
            'column too; give the encoder handle_unknown="ignore", or "use_encoded_value" with unknown_value'
        )
    column.type = "category"
    column.texts = {as_text(value) for table in tables if table for value in table.known}
