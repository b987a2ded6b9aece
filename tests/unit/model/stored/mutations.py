"""Changes models at random: their bytes, their lengths, and what they say of themselves."""

import json
import random
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from model.stored.document import read_document

NUMBERS = (
    -(2**63),
    -(2**31),
    -2,
    -1,
    0,
    1,
    2,
    3,
    7,
    100,
    255,
    2**16,
    2**24,
    2**31 - 1,
    2**31,
    2**40,
    2**63 - 1,
)
TEXTS = (*map(str, NUMBERS), "", "x", "1e9", "[]", "[1,2]", "[" * 50_000)
LENGTH = struct.Struct(">q")
TYPED = {
    **dict.fromkeys(("left_children", "right_children", "parents", "split_indices"), "l"),
    **dict.fromkeys(("categories", "categories_nodes", "offsets", "feature_segments", "sorted_idx"), "l"),
    **dict.fromkeys(("categories_segments", "categories_sizes"), "L"),
    **dict.fromkeys(("split_type", "default_left"), "U"),
    **dict.fromkeys(("base_weights", "leaf_weights", "split_conditions", "weights"), "d"),
    **dict.fromkeys(("loss_changes", "sum_hessian"), "d"),
    "values": "i",
}
"""The members that XGBoost writes as typed arrays, and their types."""
FORMS = {"l": ">i", "L": ">q", "U": ">B", "d": ">f", "i": ">b"}


def mutated(model: bytes, seed: int) -> bytes:
    """Change a model, in another way for each seed."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    if seed % 3 == 0:
        return _with_other_bytes(chance, model)
    document = plain(read_document(model))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _change(chance, document)
    return json.dumps(document, ensure_ascii=False).encode() if chance.random() < 0.5 else ubjson(document)


def plain(value: Any) -> Any:
    """Return a document with lists in place of arrays."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def ubjson(value: Any, name: str = "") -> bytes:
    """Write a value as XGBoost does."""
    match value:
        case None | True | False:
            return {None: b"Z", True: b"T", False: b"F"}[value]
        case int():
            return _sized(max(-(2**63), min(2**63 - 1, value)))
        case float():
            return b"D" + struct.pack(">d", value)
        case str():
            return b"S" + _text(value)
        case dict():
            members = (_text(each) + ubjson(one, each) for each, one in value.items())
            return b"{" + b"".join(members) + b"}"
    if kind := TYPED.get(name):
        try:
            items = b"".join(struct.pack(FORMS[kind], one) for one in value)
        except (struct.error, OverflowError):  # it was changed to what such an array cannot hold
            pass
        else:
            return f"[${kind}#".encode() + _sized(len(value)) + items
    return b"[#" + _sized(len(value)) + b"".join(map(ubjson, value))


def _sized(number: int) -> bytes:
    return b"L" + LENGTH.pack(number)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _sized(len(encoded)) + encoded


def _with_other_bytes(chance: random.Random, model: bytes) -> bytes:
    content, at = bytearray(model), chance.randrange(len(model) - 8)
    size = chance.choice((1, 4, 50, 400))
    match chance.choice(("flip", "cut", "number", "length", "length", "drop", "repeat")):
        case "flip":
            for _ in range(chance.choice((1, 2, 20))):
                content[chance.randrange(len(content))] = chance.randrange(256)
        case "cut":
            content[at:] = chance.choice((b"", b"}", b"}}}}"))
        case "number":
            content[at : at + 8] = LENGTH.pack(chance.choice(NUMBERS))
        case "length":
            found = [start for start in range(len(model) - 9) if model[start : start + 5] == b"L\0\0\0\0"]
            start = 1 + (chance.choice(found) if found else at)
            near = LENGTH.unpack(model[start : start + 8])[0] + chance.choice((-2, -1, 1, 2))
            content[start : start + 8] = LENGTH.pack(chance.choice((*NUMBERS, min(near, 2**63 - 1))))
        case "drop":
            del content[at : at + size]
        case "repeat":
            content[at:at] = content[at : at + size]
    return bytes(content)


def _change(chance: random.Random, document: Any) -> None:
    """Change one value anywhere in a document."""
    parent, key = chance.choice(list(_places(document)))
    value = parent[key]
    if isinstance(value, str):
        parent[key] = chance.choice((*TEXTS, f"{value}0", f"-{value}"))
    elif isinstance(value, int | float | None):
        parent[key] = chance.choice((*NUMBERS, (value or 0) + 1, (value or 0) - 1, 0.5, "1", None, True, []))
    elif isinstance(value, dict) and value and chance.random() < 0.7:
        del value[chance.choice(list(value))]
    elif isinstance(value, list) and value and chance.random() < 0.9:
        _change_list(chance, value)
    else:
        parent[key] = chance.choice(({}, [], [0], [-1], [[]], [{}], None, 0, "x"))


def _change_list(chance: random.Random, values: list[Any]) -> None:
    at = chance.randrange(len(values))
    match chance.choice(("number", "number", "delete", "append", "clear", "shuffle", "double")):
        case "number" if isinstance(values[at], int):
            values[at] = chance.choice((*NUMBERS, *range(12)))
        case "append":
            values.append(values[-1])
        case "clear":
            values.clear()
        case "shuffle":
            chance.shuffle(values)
        case "double":
            values *= 2
        case _:
            del values[at]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place of a document: what holds it, and its key there."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys)[:40]:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])
