"""Why a command did not do all that it should."""

from paygrade.errors import PaygradeError


class CommandFailed(PaygradeError):
    """The command was carried out, and the answer is no; exit status 1."""
