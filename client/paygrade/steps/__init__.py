"""Fitted preprocessing as data: the steps that make a booster's columns out of the caller's, with NumPy alone."""

from paygrade.steps.after import After
from paygrade.steps.errors import StepsError
from paygrade.steps.steps import Steps

__all__ = ["After", "Steps", "StepsError"]
