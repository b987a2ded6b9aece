"""How work under way ends early."""


class ScoringStopped(Exception):
    """Raised to end scoring early: the worker stops, or the batch was canceled."""
