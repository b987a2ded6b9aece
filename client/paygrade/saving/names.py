"""Names for the columns of a booster."""

from paygrade.saving.models import Predictor
from paygrade.saving.program import Program


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
