"""Why a model is not written."""

from paygrade.errors import PaygradeError


class SaveRefused(PaygradeError):
    """The model is not written, since its scores could not be proved; the message is one line."""
