"""How work under way ends early."""


class ScoringStopped(Exception):
    """The worker stops, or the rows are no longer wanted."""
