"""Reads encoders of categories."""

import math
from typing import Any

from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Key, Made, Program, Table
from paygrade.saving.raw import as_text, is_missing
from paygrade.saving.reading import Traced, class_name, require_dense


def read_one_hot(program: Program, encoder: Any, traced: Traced) -> list[int]:
    require_dense(encoder, traced)
    made = []
    for position, column in enumerate(traced.columns):
        places, unknown = _grouped(encoder, position)
        width, places, unknown = _without_dropped(encoder, position, places, unknown)
        table = make_table(program, encoder, position, column, places, unknown)
        labels = _labels(program[column].label, table, width)
        made += program.add_table(
            "one_hot", column, [Made(label, sparse=False) for label in labels], table, width=width
        )
    if encoder.sparse_output:
        sparse = [Made(program[column].label, sparse=True) for column in made]
        return program.add("sparse", made, sparse)
    return made


def _grouped(encoder: Any, position: int) -> tuple[list[int], int | None]:
    """Return the place of each category, and that of what is unknown, with infrequent ones in one place."""
    places = list(range(len(encoder.categories_[position])))
    unknown = None if encoder.handle_unknown == "error" else -1
    if not encoder._infrequent_enabled or encoder._infrequent_indices[position] is None:
        return places, unknown
    mapping = encoder._default_to_infrequent_mappings[position]
    places = [int(mapping[place]) for place in places]
    if encoder.handle_unknown in ("infrequent_if_exist", "warn"):
        unknown = int(mapping[encoder._infrequent_indices[position][0]])
    return places, unknown


def _without_dropped(
    encoder: Any, position: int, places: list[int], unknown: int | None
) -> tuple[int, list[int], int | None]:
    """Take the dropped place away; returns how many are left, and where the others are then."""
    width = int(encoder._n_features_outs[position])
    dropped = None if encoder._drop_idx_after_grouping is None else encoder._drop_idx_after_grouping[position]
    if dropped is None:
        return width, places, unknown

    def moved(place: int) -> int:
        return -1 if place == dropped else place - (place > dropped)

    return width, [moved(place) for place in places], None if unknown is None else moved(unknown)


def make_table(
    program: Program, encoder: Any, position: int, column: int, results: list[Any], unknown: Any
) -> Table:
    """Pair the categories of one column with their results; a missing value is a category, or unknown."""
    known: dict[Key, Key] = {}
    raw_text = program[column].text_of is not None
    missing: list[Any] = []
    for category, result in zip(encoder.categories_[position].tolist(), results, strict=True):
        if is_missing(category):
            missing.append((category, result))
        elif isinstance(category, str) != raw_text:
            raise SaveRefused(
                f"{class_name(encoder)} was fitted on other values of {program[column].label!r} than the sample has; "
                "give the sample the types of the training data"
            )
        else:
            known[category] = result
    return Table(known, unknown, _missing_result(program, encoder, column, missing, unknown))


def _missing_result(program: Program, encoder: Any, column: int, missing: list[Any], unknown: Any) -> Any:
    raw = program.raw(column)
    if len(missing) > 1:
        raise SaveRefused(
            f"{class_name(encoder)} knows None and NaN in column {program[column].label!r}; use one of them in training"
        )
    if not missing:
        return unknown
    category, result = missing[0]
    if raw is not None and raw.type != "number" and not any(map(is_missing, raw.values)):
        raw.missing = category
    holds = math.nan if raw is None else raw.missing
    return result if (category is None) == (holds is None) else unknown


def _labels(label: str, table: Table, width: int) -> list[str]:
    """Name each new column after the values that it stands for."""
    values: list[list[str]] = [[] for _ in range(width)]
    for value, place in table.known.items():
        if isinstance(place, int) and place >= 0:
            values[place].append(as_text(value))
    if isinstance(table.missing, int) and table.missing >= 0 and table.missing != table.unknown:
        values[table.missing].append("missing")
    return [f"{label}={'|'.join(texts)}" for texts in values]
