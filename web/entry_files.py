"""Files of keys and of secrets, which settings name: one entry a line."""

from pathlib import Path

from jobs.errors import InvalidSettings


def entries_in(file: Path, setting: str) -> str:
    """The entries, with commas between. What follows a # is a comment. Raises InvalidSettings."""
    try:
        text = file.read_text("ascii")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII"
        raise InvalidSettings(f"{setting}: {file} cannot be read: {reason}") from None
    return ",".join(line.partition("#")[0] for line in text.splitlines())
