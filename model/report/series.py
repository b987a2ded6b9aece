"""What a bundle predicts, as a few lines for a chart: each with a name and a value for every row."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from model.evaluation.metrics import Floats
from model.outputs import Outputs
from model.report.writing import name as shortened

MOST = 3
LOW, HIGH = "low", "high"
Series: TypeAlias = Mapping[str, Floats]


def series_of(outputs: Outputs) -> Series:
    """Return the prediction, with its interval; or the probabilities of the most frequent classes."""
    prediction = np.asarray(outputs.prediction, dtype=np.float64)
    if outputs.targets:
        scores = prediction if outputs.probability is None else outputs.probability.astype(np.float64)
        return {shortened(name): scores[:, at] for at, name in enumerate(outputs.targets[:MOST])}
    if outputs.probability is not None:
        classes = outputs.classes or ("0", "1")
        return {f"probability of {shortened(classes[1])}": outputs.probability.astype(np.float64)}
    if outputs.probabilities is not None:
        probabilities = outputs.probabilities.astype(np.float64)
        order = np.argsort(-probabilities.mean(axis=0), kind="stable")[:MOST]
        return {f"probability of {shortened(outputs.classes[at])}": probabilities[:, at] for at in order}
    if outputs.interval is not None:
        low, high = outputs.interval.astype(np.float64).T
        return {"prediction": prediction, HIGH: high, LOW: low}
    return {"prediction": prediction}
