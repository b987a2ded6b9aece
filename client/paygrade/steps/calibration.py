"""Calibrations: they turn the probabilities of a booster into better ones."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.errors import StepsError
from paygrade.steps.fields import Fields, Floats, FloatType

Probabilities = NDArray[np.float64]
LARGEST_EXPONENT = 709.0
SLIGHTLY_ABOVE = 1e-5


class Calibrator(ABC):
    """Calibrates the probability of one class. It is `exact` if every processor gives the same bits."""

    exact: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def read(cls, fields: Fields) -> Self:
        """Read the members of the calibrator; raises StepsError."""

    @abstractmethod
    def calibrate(self, scores: Floats) -> Floats:
        """Return the calibrated probabilities."""


class Sigmoid(Calibrator):
    """A logistic curve: 1 / (1 + exp(slope x + intercept))."""

    exact: ClassVar[bool] = False

    def __init__(self, slope: float, intercept: float) -> None:
        self._slope = np.float64(slope)
        self._intercept = np.float64(intercept)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.number("slope"), fields.number("intercept"))

    def calibrate(self, scores: Floats) -> Floats:
        # The C library's exp, which SciPy calls too: NumPy's own has other last bits.
        exponents = (self._slope * scores + self._intercept).tolist()
        return np.array([1.0 / (1.0 + _exp(exponent)) for exponent in exponents], dtype=np.float64)


class Isotonic(Calibrator):
    """Interpolates between points, in the type `dtype`; scores beyond them count as the nearest point.

    In float32 SciPy follows the slope from the lower point, and from its version 1.18 on weighs both points.
    """

    def __init__(self, scores: Floats, probabilities: Floats, dtype: FloatType, weighs: bool) -> None:
        self._weighs = weighs
        self._scores = scores.astype(dtype)
        self._probabilities = probabilities.astype(dtype)
        self._dtype = dtype

    @classmethod
    def read(cls, fields: Fields) -> Self:
        dtype = fields.dtype()
        scores = fields.numbers("scores")
        probabilities = fields.numbers("probabilities", len(scores))
        if not len(scores) or (np.diff(scores.astype(dtype)) <= 0).any():
            raise fields.fault("scores", "must ascend, and be at least one")
        return cls(scores, probabilities, dtype, fields.flag("weighs"))

    def calibrate(self, scores: Floats) -> Floats:
        scores = np.clip(scores.astype(self._dtype), self._scores[0], self._scores[-1])
        if len(self._scores) == 1:
            return np.repeat(self._probabilities, len(scores))
        if self._dtype is np.float64:
            return np.interp(scores, self._scores, self._probabilities)
        above = np.searchsorted(self._scores, scores).clip(1, len(self._scores) - 1)
        low, high = self._scores[above - 1], self._scores[above]
        start, end = self._probabilities[above - 1], self._probabilities[above]
        if self._weighs:
            return np.asarray((scores - low) / (high - low) * end + (high - scores) / (high - low) * start)
        return np.asarray((end - start) / (high - low) * (scores - low) + start)


CALIBRATORS: Mapping[str, type[Calibrator]] = {"isotonic": Isotonic, "sigmoid": Sigmoid}


class Calibration:
    """Calibrates the probability of the second of two classes, or those of several, which then sum to 1."""

    def __init__(self, calibrators: Sequence[Calibrator]) -> None:
        self._calibrators = calibrators
        self.exact = all(calibrator.exact for calibrator in calibrators)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read one calibrator for each class, or one for the second of two; raises StepsError."""
        calibrators = []
        for number, definition in enumerate(fields.items("calibrators", most=10_000)):
            one = Fields(definition, f"{fields.location}, calibrator {number}")
            calibrators.append(one.choice("method", CALIBRATORS).read(one))
            one.end()
        if len(calibrators) in (0, 2):
            raise fields.fault("calibrators", "must be one, or one for each of at least three classes")
        return cls(calibrators)

    def apply(self, scores: NDArray[Any]) -> Probabilities:
        columns = scores.reshape(len(scores), -1)
        if columns.shape[1] != len(self._calibrators):
            raise StepsError(
                f"there are {len(self._calibrators)} calibrators, but {columns.shape[1]} scores for each row"
            )
        calibrated = np.zeros(columns.shape)
        for position, calibrator in enumerate(self._calibrators):
            calibrated[:, position] = calibrator.calibrate(columns[:, position])
        if len(self._calibrators) > 1:
            total = np.sum(calibrated, axis=1)[:, np.newaxis]
            even = np.full_like(calibrated, 1 / calibrated.shape[1])
            calibrated = np.divide(calibrated, total, out=even, where=total != 0)
        calibrated[(calibrated > 1) & (calibrated <= 1 + SLIGHTLY_ABOVE)] = 1
        return calibrated.reshape(scores.shape)


def _exp(exponent: float) -> float:
    return math.exp(exponent) if exponent < LARGEST_EXPONENT else math.inf
