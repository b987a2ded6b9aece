"""The closed list of the kinds of steps."""

from paygrade.steps.lookup import Lookup, OneHot
from paygrade.steps.sparse import Dense, Sparse
from paygrade.steps.step import Step

KINDS: dict[str, type[Step]] = {kind.kind: kind for kind in (Dense, Lookup, OneHot, Sparse)}
"""Every kind that a bundle may have, by its name in a bundle."""
