"""The names of the booster's columns, of a classifier's classes, and of targets."""

from collections.abc import Sequence
from typing import Any

from paygrade.saving.errors import SaveRefused
from paygrade.saving.models import Predictor
from paygrade.saving.program import Program
from paygrade.saving.raw import as_text
from paygrade.saving.reading import class_name, require_fitted


def column_names(program: Program, predictor: Predictor) -> list[str]:
    """Return the booster's own names of its columns, or names of what each is made of."""
    own = predictor.booster.feature_names
    if own:
        return list(own)
    names: list[str] = []
    seen: dict[str, int] = {}
    for column in predictor.columns:
        label = program[column].label
        seen[label] = seen.get(label, 0) + 1
        names.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return names


def read_classes(given: Any, known: Sequence[Any]) -> list[str]:
    """Return the names of the classes that the model knows, in its order; raises SaveRefused.

    They are `given` as a list or as a fitted LabelEncoder; otherwise the model's own are used.
    """
    if given is None:
        return [as_text(label) for label in known]
    if class_name(given) == "LabelEncoder":
        require_fitted(given)
        given = given.classes_
    names = [as_text(label) for label in given]
    if not len(known):
        raise SaveRefused("classes are named, and the model is no classifier")
    if len(names) != len(known) or len(set(names)) != len(names):
        raise SaveRefused(
            f"the model has {len(known)} classes, and {len(names)} are named: {', '.join(names)}"
        )
    return names


def read_targets(given: Any, count: int) -> list[str]:
    """Return the names of all targets, in the order of the scores; raises SaveRefused."""
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, list | tuple) else []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise SaveRefused(f"target must be the target's name, or a list of the targets' names, not {given!r}")
    if len(names) != count or len(set(names)) != count:
        raise SaveRefused(
            f"the model has {count} targets, and target names {len(set(names))}: {', '.join(names)}; give "
            "the list of their names, in the order of the scores"
        )
    return names
