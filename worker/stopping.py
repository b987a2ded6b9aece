"""How work under way makes room for other work, and ends early."""

CHECKPOINT_SECONDS = 1
"""How long planning and joining work before they record how far they are; planning then lets others work."""


class ScoringStopped(Exception):
    """Raised to end scoring early: the worker stops, or the batch was canceled."""
