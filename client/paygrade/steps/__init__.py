"""Fitted preprocessing as data: steps make the columns of a booster out of the caller's, with NumPy alone."""

from paygrade.steps.after import After
from paygrade.steps.errors import StepsError
from paygrade.steps.steps import Steps

__all__ = ["After", "Steps", "StepsError"]
