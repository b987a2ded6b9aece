"""What a model says of itself is checked before XGBoost, which believes it, reads the model."""

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model.booster import check_model
from model.description.errors import BundleError
from model.stored.document import read_document
from model.stored.errors import MAX_DEPTH
from model.stored.forest import MAX_LEVELS
from tests.unit.model.stored.mutations import plain, ubjson
from tests.unit.model.test_older_versions import archive

Document = dict[str, Any]
FAR = 2**31 - 2
PATH = 2 * MAX_LEVELS + 3


def document(kind: str = "trees", version: str = "3.2.0") -> Document:
    found: Document = plain(read_document(archive(version)[f"{kind}.ubj"]))
    return found


def learner(changed: Document) -> Document:
    found: Document = changed["learner"]
    return found


def forest(changed: Document) -> Document:
    booster = learner(changed)["gradient_booster"]
    found: Document = booster.get("gbtree", booster)["model"]
    return found


def tree(changed: Document) -> Document:
    found: Document = forest(changed)["trees"][1]
    return found


def in_tree(name: str, node: int, value: Any) -> Callable[[Document], None]:
    return lambda changed: tree(changed)[name].__setitem__(node, value)


def parameter(name: str, value: str) -> Callable[[Document], None]:
    return lambda changed: learner(changed)["learner_model_param"].__setitem__(name, value)


def booster(changed: Document) -> Document:
    found: Document = learner(changed)["gradient_booster"]
    return found


def names(changed: Document) -> Document:
    found: Document = forest(changed)["cats"]["enc"][0]
    return found


def quantiles(changed: Document, text: str) -> None:
    learner(changed)["objective"]["quantile_loss_param"]["quantile_alpha"] = text


def best(changed: Document, text: str) -> None:
    learner(changed)["attributes"]["best_iteration"] = text


def grow_a_path(changed: Document) -> None:
    """Make a tree in which each left child is a leaf."""
    inner = range(0, PATH - 1, 2)
    nodes: dict[str, list[Any]] = {
        name: [0.0] * PATH for name in ("split_conditions", "base_weights", "loss_changes", "sum_hessian")
    }
    for name in ("split_indices", "default_left", "split_type"):
        nodes[name] = [0] * PATH
    nodes["left_children"] = [node + 1 if node in inner else -1 for node in range(PATH)]
    nodes["right_children"] = [node + 2 if node in inner else -1 for node in range(PATH)]
    nodes["parents"] = [FAR + 1, *(node - 1 - (node + 1) % 2 for node in range(1, PATH))]
    tree(changed).update(nodes)
    tree(changed)["tree_param"]["num_nodes"] = str(PATH)


def test_both_formats_of_a_model_hold_the_same() -> None:
    of_json, of_ubjson = (
        plain(read_document(archive("3.2.0")[file])) for file in ("trees.json", "trees.ubj")
    )
    for one in of_json["learner"]["gradient_booster"]["model"]["trees"]:
        one["split_conditions"] = np.array(one["split_conditions"], dtype=np.float32).tolist()
    for name in ("left_children", "right_children", "parents", "split_indices", "split_conditions"):
        assert tree(of_json)[name] == tree(of_ubjson)[name]
    assert of_json["learner"]["learner_model_param"] == of_ubjson["learner"]["learner_model_param"]


CHANGES: list[tuple[str, str, Callable[[Document], None]]] = [
    ("a left child beyond the tree", "trees", in_tree("left_children", 0, 7)),
    ("a right child beyond the tree", "trees", in_tree("right_children", 0, FAR)),
    ("a child before the first", "trees", in_tree("left_children", 0, -2)),
    ("a child that is no number", "trees", in_tree("left_children", 0, "1")),
    ("a single child", "trees", in_tree("right_children", 0, -1)),
    ("a way in a circle", "trees", in_tree("left_children", 1, 0)),
    ("a node with two parents", "trees", in_tree("left_children", 1, 5)),
    ("another parent than it says", "trees", in_tree("parents", 3, 2)),
    ("a parent beyond the tree", "trees", in_tree("parents", 3, FAR)),
    ("a root with a parent", "trees", in_tree("parents", 0, 1)),
    ("a feature beyond the last", "trees", in_tree("split_indices", 0, 3)),
    ("a type of split that is none", "trees", in_tree("split_type", 0, 2)),
    ("a split by categories without any", "trees", in_tree("split_type", 0, 1)),
    ("a category so high that it takes gigabytes", "categories", in_tree("categories", 0, FAR)),
    ("a segment beyond the categories", "categories", in_tree("categories_segments", 0, 99)),
    ("a segment of no category", "categories", in_tree("categories_sizes", 0, 0)),
    ("a split by categories beyond the tree", "categories", in_tree("categories_nodes", 0, 99)),
    ("a leaf beyond the leaves", "vector-leaves", in_tree("right_children", 3, 4)),
    ("fewer weights of leaves", "vector-leaves", lambda changed: tree(changed)["leaf_weights"].pop()),
    ("no weights of leaves", "vector-leaves", lambda changed: tree(changed).pop("leaf_weights")),
    ("fewer weights of nodes", "vector-leaves", lambda changed: tree(changed)["base_weights"].pop()),
    ("fewer hessians", "vector-leaves", lambda changed: tree(changed)["sum_hessian"].pop()),
    ("a wider leaf", "trees", lambda changed: tree(changed)["tree_param"].update(size_leaf_vector="2")),
    ("more nodes than there are", "trees", lambda changed: tree(changed)["tree_param"].update(num_nodes="9")),
    ("no nodes", "trees", lambda changed: tree(changed)["tree_param"].update(num_nodes="0")),
    ("a tree too deep to explain", "trees", grow_a_path),
    ("two trees of one number", "trees", lambda changed: tree(changed).update(id=0)),
    ("a tree of a class beyond the last", "softprob", lambda changed: forest(changed)["tree_info"].append(9)),
    ("a class beyond the last", "softprob", lambda changed: forest(changed)["tree_info"].__setitem__(0, 9)),
    ("rounds that go back", "trees", lambda changed: forest(changed).update(iteration_indptr=[0, 2, 1, 3])),
    ("rounds that end early", "trees", lambda changed: forest(changed).update(iteration_indptr=[0, 1, 2])),
    ("no rounds", "trees", lambda changed: forest(changed).update(iteration_indptr=[])),
    ("fewer weights of dropped trees", "dart", lambda changed: booster(changed)["weight_drop"].pop()),
    ("a billion classes", "softprob", parameter("num_class", "1000000000")),
    ("a billion targets", "trees", parameter("num_target", "1000000000")),
    ("a negative number of features", "trees", parameter("num_feature", "-1")),
    ("a base score nested like a staircase", "trees", parameter("base_score", "[" * 100_000)),
    (
        "a linear model with fewer weights",
        "linear",
        lambda changed: booster(changed)["model"]["weights"].pop(),
    ),
    ("a linear model without weights", "linear", lambda changed: booster(changed)["model"].clear()),
    ("names of categories beyond their text", "towns", lambda changed: names(changed)["offsets"].append(999)),
    ("names of categories that go back", "towns", lambda changed: names(changed)["offsets"].reverse()),
    ("names of fewer features", "categories", lambda changed: forest(changed)["cats"]["enc"].pop()),
    ("more quantiles than scores", "quantiles", lambda changed: quantiles(changed, "[0.1, 0.2, 0.3, 0.9]")),
    ("a best round that is no number", "stopped", lambda changed: best(changed, "x")),
    ("another booster", "trees", lambda changed: booster(changed).update(name="gbforest")),
]


@pytest.mark.parametrize(
    ("kind", "change"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_a_model_that_leads_astray_is_refused(kind: str, change: Callable[[Document], None]) -> None:
    changed = document(kind)
    check_model(ubjson(changed), "model.ubj")
    change(changed)
    for written in (ubjson(changed), json.dumps(changed).encode()):
        with pytest.raises(BundleError, match=r"model.ubj is not a complete XGBoost model: .*; save the"):
            check_model(written, "model.ubj")


WHOLE = archive("3.2.0")["trees.ubj"]
FIRST_LENGTH = WHOLE.index(b"left_children[$l#L") + len(b"left_children[$l#L")


@pytest.mark.parametrize("length", [-1, 2**31, 2**40, 2**63 - 1])
def test_a_length_that_leads_beyond_the_file_is_refused(length: int) -> None:
    changed = WHOLE[:FIRST_LENGTH] + struct.pack(">q", length) + WHOLE[FIRST_LENGTH + 8 :]
    with pytest.raises(BundleError, match=r"the length at byte \d+ is none, or leads beyond the end"):
        check_model(changed, "model.ubj")


@pytest.mark.parametrize("end", range(1, len(WHOLE), 97))
def test_a_file_that_ends_early_is_refused(end: int) -> None:
    with pytest.raises(BundleError, match="is not a complete XGBoost model"):
        check_model(WHOLE[:end], "model.ubj")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (WHOLE + b"}", "1 bytes follow its end"),
        (b'{"a": ' * 100_000, "it is nested deeper than"),
        (b'{"a": [' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]}", "it is nested deeper than"),
        (b"{" + (b"L" + struct.pack(">q", 1) + b"a{") * 100_000, "it is nested deeper than"),
        (b"{L" + struct.pack(">q", 1) + b"a[" + b"[" * 100_000, "has no length"),
        (b'{"learner": {}, "learner": {}}', "the member 'learner' is there twice"),
        (ubjson({"a": 1})[:-1] + ubjson({"a": 1})[1:], "the member 'a' is there twice"),
        (rb'{"le\u0061rner": {}}', r"it has characters that are written as \\u"),
        (b'{"learner": [1, 2}', "it is not JSON"),
        (b"{}", "it lacks learner"),
    ],
    ids=["more", "deep json", "deep lists", "deep ubjson", "no length", "twice", "twice in ubjson", "escaped",
         "no json", "empty"],
)  # fmt: skip
def test_what_xgboost_might_read_otherwise_is_refused(model: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        check_model(model, "model.ubj")
