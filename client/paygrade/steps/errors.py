"""What is wrong with steps that were read, or with values that they are given."""

from paygrade.errors import PaygradeError


class StepsError(PaygradeError):
    """Steps are malformed, or a value has no place in them; the message is one line."""
