"""What is wrong with a stored model."""

MAX_DEPTH = 16
"""How deep values may be nested; XGBoost nests them eight levels deep, and reads each level in the last."""


class Malformed(Exception):
    """A stored model is not as XGBoost writes it; the message says where."""
