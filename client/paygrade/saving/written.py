"""Steps as a bundle holds them."""

from collections import Counter
from collections.abc import Mapping, Sequence
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
    steps, outputs = _simplify(program.steps, outputs)
    if not steps and list(outputs) == sorted(program.raw):
        return Written(None, [program.raw[number] for number in outputs])
    for number, column in program.raw.items():
        if column.as_text:
            _make_text(number, column, steps, outputs)
        if column.type == "category" and not column.texts:
            column.texts = {as_text(column.present()[0])}  # no step tells texts apart
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


def _simplify(steps: Sequence[Added], outputs: Sequence[int]) -> tuple[list[Added], list[int]]:
    """Let encoders make sparse columns themselves, and leave out columns that are not used.

    Returns the steps, and the outputs, which may have other numbers then.
    """
    used = Counter([*outputs, *(number for step in steps for number in step.of)])
    encoded = {number for step in steps if step.kind == "one_hot" for number in step.made}
    instead: dict[int, int] = {}
    removed = []
    for step in steps:
        if step.kind != "sparse":
            continue
        if not any(used[number] for number in step.made):
            removed.append(step)
        elif all(number in encoded and used[number] == 1 for number in step.of):
            removed.append(step)
            instead.update(zip(step.made, step.of, strict=True))
    sparse = set(instead.values())
    kept = [_moved(step, instead, sparse) for step in steps if step not in removed]
    return kept, [instead.get(output, output) for output in outputs]


def _moved(step: Added, instead: Mapping[int, int], sparse: set[int]) -> Added:
    members = {**step.members, "sparse": True} if sparse.intersection(step.made) else step.members
    return step._replace(of=[instead.get(number, number) for number in step.of], members=members)


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
