"""Writes fitted scikit-learn pipelines as bundles: steps as data, proved on a sample."""

from paygrade.saving.api import save
from paygrade.saving.errors import SaveRefused

__all__ = ["SaveRefused", "save"]
