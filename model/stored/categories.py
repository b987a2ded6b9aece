"""Checks the categories of a stored model: those of its splits, and their names."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model.stored.errors import Malformed
from model.stored.fields import MOST, SEQUENCE, Integers, integers, member

MAX_CATEGORY = 2**24
MAX_BYTES = 64 << 20
"""XGBoost keeps a bit for each category of a split, up to its highest one. This allows 256 trees."""


def check_categories(trees: Sequence[Mapping[str, Any]], roots: Integers, size: int) -> None:
    """Check the splits by category of some trees, which have `size` nodes together; raises Malformed."""
    is_category, listed = np.zeros(size, dtype=bool), [np.zeros(0, dtype=np.int64)]
    ends = [*roots[1:].tolist(), size]
    taken = 0
    for tree, start, end in zip(trees, roots.tolist(), ends, strict=True):
        if "split_type" not in tree:
            continue
        types = integers(member(tree, "split_type", SEQUENCE), "split_type", 0, 1)
        if len(types) != end - start:
            raise Malformed("a tree has not one split_type for each node")
        is_category[start:end] = types
        if len(member(tree, "categories_nodes", SEQUENCE)):
            listed.append(start + integers(tree["categories_nodes"], "categories_nodes", 0, end - start - 1))
            taken += _bytes_of_splits(tree)
    if not np.array_equal(np.concatenate(listed), np.flatnonzero(is_category)):
        raise Malformed("categories_nodes of a tree are not its splits by category")
    if taken > MAX_BYTES:
        raise Malformed(f"the categories of its splits take {taken} bytes, and at most {MAX_BYTES} are kept")


def _bytes_of_splits(tree: Mapping[str, Any]) -> int:
    """Check that the splits of a tree share its list of categories, one after the other."""
    count = len(tree["categories_nodes"])
    categories = integers(member(tree, "categories", SEQUENCE), "categories", 0, MAX_CATEGORY)
    begins = integers(member(tree, "categories_segments", SEQUENCE), "categories_segments", 0, MOST)
    sizes = integers(member(tree, "categories_sizes", SEQUENCE), "categories_sizes", 1, len(categories))
    ends = np.cumsum(sizes, dtype=np.int64)
    if len(sizes) != count or ends[-1] != len(categories) or not np.array_equal(begins, ends - sizes):
        raise Malformed("categories_segments and categories_sizes of a tree do not divide its categories")
    highest = np.maximum.reduceat(categories, begins).astype(np.int64)
    return int((highest // 8 + 8).sum())


def check_names(categories: Mapping[str, Any], features: int) -> None:
    """Check the names of the categories of each feature, which may be left out; raises Malformed."""
    encodings = member(categories, "enc", list)
    if len(encodings) not in (0, features):
        raise Malformed(f"it has names of categories for {len(encodings)} of {features} features")
    counts = [_count_of_names(encoding) for encoding in encodings]
    edges = integers(member(categories, "feature_segments", SEQUENCE), "feature_segments", 0, MOST)
    if not np.array_equal(edges, np.cumsum([0, *counts]) if len(edges) else []):
        raise Malformed("feature_segments do not divide its names of categories")
    total = sum(counts) if len(edges) else 0
    order = integers(member(categories, "sorted_idx", SEQUENCE), "sorted_idx", 0, max(0, *counts, 0))
    if len(order) not in (0, total):
        raise Malformed(f"sorted_idx has {len(order)} values for {total} names of categories")


def _count_of_names(encoding: Any) -> int:
    if not isinstance(encoding, dict):
        raise Malformed("the names of a feature's categories are no object")
    values = member(encoding, "values", SEQUENCE)
    if "offsets" not in encoding:
        return len(values)
    offsets = integers(member(encoding, "offsets", SEQUENCE), "offsets", 0, len(values))
    if (np.diff(offsets) < 0).any():
        raise Malformed("offsets of names of categories do not ascend")
    return max(0, len(offsets) - 1)
