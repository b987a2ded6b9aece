"""Reads encoders of categories: OneHotEncoder, OrdinalEncoder, TargetEncoder."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.lookup_table import Key, LookupTable
from paygrade.saving.program import Made, Program
from paygrade.saving.raw import as_text, is_missing
from paygrade.saving.reading import Traced, class_name, require_dense


def read_one_hot(program: Program, encoder: Any, traced: Traced, values: Any) -> list[int]:
    require_dense(encoder, traced)
    made = []
    for position, column in enumerate(traced.columns):
        codes, unknown = _group(encoder, position)
        if encoder.handle_unknown in ("infrequent_if_exist", "warn"):
            unknown = _infrequent_code(encoder, position)
        width = int(encoder._n_features_outs[position])
        drops = encoder._drop_idx_after_grouping
        dropped = None if drops is None else drops[position]
        codes = [_without(code, dropped) for code in codes]
        unknown = None if unknown is None else _without(unknown, dropped)
        table = make_table(program, encoder, position, column, codes, unknown)
        labels = _labels(program[column].label, table, width)
        made += program.add_table("one_hot", column, [Made(label) for label in labels], table, width=width)
    if encoder.sparse_output:
        return program.add("sparse", made, [replace(program[number], dense=number) for number in made])
    return made


def read_ordinal(program: Program, encoder: Any, traced: Traced, values: Any) -> list[int]:
    require_dense(encoder, traced)
    made = []
    for position, column in enumerate(traced.columns):
        codes, _ = _group(encoder, position)
        kept = encoder._missing_indices.get(position)
        results: list[Any] = [_cast(encoder, code) for code in codes]
        if kept is not None:
            results[kept] = float(encoder.encoded_missing_value)
        unknown = None if encoder.handle_unknown == "error" else float(encoder.unknown_value)
        table = make_table(program, encoder, position, column, results, unknown)
        made += program.add_table("lookup", column, [Made(program[column].label)], table, dtype="float64")
    return made


def read_target_encoder(program: Program, encoder: Any, traced: Traced, values: Any) -> list[int]:
    require_dense(encoder, traced)
    classes = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
    means = np.ravel(encoder.target_mean_).tolist()
    made = []
    for number, encoding in enumerate(encoder.encodings_):
        position, mean = number // classes, means[number % classes]
        column = traced.columns[position]
        table = make_table(program, encoder, position, column, encoding.tolist(), mean)
        label = program[column].label + (f" of {encoder.classes_[number % classes]}" if classes > 1 else "")
        made += program.add_table("lookup", column, [Made(label)], table, dtype="float64")
    return made


def make_table(
    program: Program, encoder: Any, position: int, column: int, results: Sequence[Any], unknown: Any
) -> LookupTable:
    """Pair the categories of one column with their results; a missing value is a category, or unknown."""
    known: dict[Key, Key] = {}
    holds_text = program[column].text_of is not None
    missing = []
    for category, result in zip(encoder.categories_[position].tolist(), results, strict=True):
        if is_missing(category):
            missing.append((category, result))
        elif isinstance(category, str) != holds_text:
            raise SaveRefused(
                f"{class_name(encoder)} was fitted on other values of {program[column].label!r} than the "
                "sample has; give the sample the types of the training data"
            )
        else:
            known[category] = result
    return LookupTable(known, unknown, _missing_result(program, encoder, column, missing, unknown))


def _group(encoder: Any, position: int) -> tuple[list[int], int | None]:
    """Return the code of each category, infrequent ones sharing one, and the code of unknown ones."""
    codes = list(range(len(encoder.categories_[position])))
    unknown = None if encoder.handle_unknown == "error" else -1
    mapping = encoder._default_to_infrequent_mappings[position] if encoder._infrequent_enabled else None
    if mapping is None:
        return codes, unknown
    # A missing value that an OrdinalEncoder knows is no part of the mapping.
    return [int(mapping[code]) if code < len(mapping) else code for code in codes], unknown


def _infrequent_code(encoder: Any, position: int) -> int:
    """Return the code of infrequent categories, or -1 if there are none."""
    if not encoder._infrequent_enabled or encoder._infrequent_indices[position] is None:
        return -1
    mapping = encoder._default_to_infrequent_mappings[position]
    return int(mapping[encoder._infrequent_indices[position][0]])


def _without(code: int, dropped: int | None) -> int:
    """Return the code after one was dropped; -1 is none."""
    if dropped is None:
        return code
    return -1 if code == dropped else code - int(code > dropped)


def _cast(encoder: Any, code: int) -> float:
    return float(np.asarray(code).astype(encoder.dtype))


def _missing_result(
    program: Program, encoder: Any, column: int, missing: Sequence[tuple[Any, Any]], unknown: Any
) -> Any:
    made, raw = program[column], program.raw.get(column)
    source = raw or made.text_of
    if len(missing) > 1:
        raise SaveRefused(
            f"{class_name(encoder)} knows None and NaN in column {made.label!r}; use one of them in training"
        )
    if not missing:
        return unknown
    category, result = missing[0]
    if source and source.dtype in ("object", "category") and not any(map(is_missing, source.values)):
        source.missing = category
    holds = source.missing if source else math.nan
    return result if (category is None) == (holds is None) else unknown


def _labels(label: str, table: LookupTable, width: int) -> list[str]:
    """Name each new column after the values that it stands for."""
    values: list[list[str]] = [[] for _ in range(width)]
    for value, code in table.known.items():
        if isinstance(code, int) and code >= 0:
            values[code].append(as_text(value))
    if isinstance(table.missing, int) and table.missing >= 0 and table.missing != table.unknown:
        values[table.missing].append("missing")
    return [f"{label}={'|'.join(texts)}" for texts in values]
