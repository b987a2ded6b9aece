"""Checks the trees of a stored model: every way from a root ends in a leaf, and stays within its arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from model.stored.categories import check_categories
from model.stored.errors import Malformed
from model.stored.fields import MOST, SEQUENCE, Integers, array, integers, joined, member, whole

Tree = Mapping[str, Any]
EACH_NODE = (
    "left_children",
    "right_children",
    "parents",
    "split_indices",
    "split_conditions",
    "default_left",
    "loss_changes",
    "sum_hessian",
)
"""What a tree has one value of for each node."""
NONE = -1
"""The left child of a leaf."""
ROOT_PARENTS = (NONE, MOST)
MAX_LEVELS = 1_000
"""To explain a row takes the square of this as memory."""
TREES_AT_ONCE = 256


class Nodes(NamedTuple):
    """The nodes of some trees, one tree after the other; children and parents are positions in these."""

    roots: Integers
    left: Integers
    right: Integers
    parents: Integers
    features: Integers


def check_forest(trees: Sequence[Any], features: int, width: int) -> None:
    """Check all trees of a booster that has so many features, and `width` scores for each row.

    Raises Malformed. A leaf has one number or `width` numbers, in all trees alike.
    """
    sizes = [_check_tree(tree, width) for tree in trees]
    if [tree.get("id") for tree in trees] != list(range(len(trees))):
        raise Malformed("its trees are not numbered in their order")
    if len({_leaf_size(tree) for tree in trees}) > 1:
        raise Malformed("some trees have several numbers in a leaf, and others have one")
    for start in range(0, len(trees), TREES_AT_ONCE):
        some, of_size = trees[start : start + TREES_AT_ONCE], np.array(sizes[start : start + TREES_AT_ONCE])
        nodes = _nodes(some, of_size)
        inner = _check_ways(nodes)
        if inner.size and nodes.features[inner].max() >= features:
            raise Malformed(f"a tree splits on feature {nodes.features[inner].max()} of {features}")
        check_categories(some, nodes.roots, len(nodes.left))


def leaf_size(trees: Sequence[Tree]) -> int:
    """Return how many numbers a leaf has, in the trees of a booster that was checked."""
    return _leaf_size(trees[0]) if trees else 1


def _leaf_size(tree: Tree) -> int:
    return max(1, whole(tree["tree_param"], "size_leaf_vector", 0, default="0"))


def _check_tree(tree: Any, width: int) -> int:
    """Check the lengths of the arrays of a tree; returns the number of its nodes."""
    if not isinstance(tree, dict):
        raise Malformed("a tree is no object")
    size = whole(member(tree, "tree_param", dict), "num_nodes", 1)
    for name in EACH_NODE:
        if len(member(tree, name, SEQUENCE)) != size:
            raise Malformed(f"a tree of {size} nodes has {len(tree[name])} values of {name}")
    weights = len(member(tree, "base_weights", SEQUENCE))
    if _leaf_size(tree) == 1:
        fits = weights == size
    else:
        fits = _leaf_size(tree) == width and size <= weights <= size * width and weights % size == 0
        _check_leaves(tree, width)
    if not fits:
        raise Malformed(f"a tree of {size} nodes has {weights} values of base_weights")
    return size


def _check_leaves(tree: Tree, width: int) -> None:
    """Check that each leaf, which has its number instead of a right child, has `width` values."""
    leaves, left_over = divmod(len(member(tree, "leaf_weights", SEQUENCE)), width)
    if left_over:
        raise Malformed(f"leaf_weights of a tree has not {width} values for each leaf")
    is_leaf = array(tree["left_children"], "left_children") == NONE
    of_leaf = array(tree["right_children"], "right_children")[is_leaf]
    integers(of_leaf, "right_children of leaves", 0, leaves - 1)


def _nodes(trees: Sequence[Tree], sizes: Integers) -> Nodes:
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    before, last = np.repeat(roots, sizes), np.repeat(sizes, sizes) - 1
    positions = {}
    for name in ("left_children", "right_children", "parents"):
        local = joined(trees, name, NONE, MOST)
        if name == "parents":
            if not np.isin(local[roots], ROOT_PARENTS).all():
                raise Malformed("a root has a parent")
            local[roots] = 0
        if (local > last).any():
            raise Malformed(f"{name} of a tree leads beyond its nodes")
        positions[name] = np.where(local == NONE, NONE, local + before)
    if (positions["parents"] == NONE).any():
        raise Malformed("a node has no parent, and is no root")
    left, right, parents = positions.values()
    return Nodes(roots, left, right, parents, joined(trees, "split_indices", 0, MOST))


def _check_ways(nodes: Nodes) -> Integers:
    """Check that all ways from the roots end; returns the nodes with children."""
    inner: Integers = np.flatnonzero(nodes.left != NONE).astype(np.int32)
    children = np.concatenate([nodes.left[inner], nodes.right[inner]])
    if (children == NONE).any() or (np.bincount(children, minlength=len(nodes.left))[nodes.roots] > 0).any():
        raise Malformed("a node has one child, or has a root as a child")
    if (np.bincount(children) > 1).any() or (nodes.parents[children] != np.tile(inner, 2)).any():
        raise Malformed("a node has two parents, or another one than it says")
    # Each node has one parent at most, so no way comes twice to a node.
    level, reached = nodes.roots, 0
    for _ in range(MAX_LEVELS):
        level = level[nodes.left[level] != NONE]
        if not level.size:
            break
        reached += level.size
        level = np.concatenate([nodes.left[level], nodes.right[level]])
    if reached < inner.size:
        raise Malformed(f"a tree has more than {MAX_LEVELS} levels, or nodes that no way leads to")
    return inner
