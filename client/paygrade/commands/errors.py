"""Why a command ends with exit status 1, where the service did not refuse anything."""

from paygrade.errors import PaygradeError


class ScoringFailed(PaygradeError):
    """Rows were not scored, or not in time."""


class SavingFailed(PaygradeError):
    """The script that fits the pipeline failed."""
