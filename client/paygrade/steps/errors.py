"""What is wrong with steps that were read, or with values that they are given."""

from collections.abc import Sequence

from paygrade.errors import PaygradeError


class StepsError(PaygradeError):
    """Steps are malformed, or do not take a value; the message is one line.

    `rows` are the positions of the rows that cannot be scored; the others can.
    """

    def __init__(self, message: str, rows: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(rows)
