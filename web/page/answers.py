"""The output of a row as the page shows it."""

from collections.abc import Mapping, Sequence
from enum import Enum
from math import exp, isclose
from typing import Any, NamedTuple

from web.page.charts import Contributions, contributions
from web.page.writing import write_number, write_rounded, write_signed

LARGEST_EXPONENT = 700
"""A float holds the powers of e up to about this one."""


class ContributionScale(Enum):
    """The scale on which contributions add up: that of the prediction, its logarithm, or another one."""

    PREDICTION = "prediction"
    LOGARITHM = "logarithm"
    OTHER = "other"


class Score(NamedTuple):
    name: str
    value: str
    share: float | None = None
    """The probability, if the score is one: the length of its bar."""


class AnswerView(NamedTuple):
    """`headline` is the answer in large; `scores` are what stands below it."""

    headline: str
    unit: str
    interval: tuple[str, str] | None
    share_within: str
    """How many percent of the cases should be within the interval."""
    scores: list[Score]
    bars: Contributions | None
    scale: ContributionScale
    warnings: list[str]

    def added(self, amount: float) -> str:
        """What a feature added to the prediction, or in percent by how much it multiplied it."""
        if self.scale is ContributionScale.LOGARITHM:
            return f"{write_signed(round((exp(amount) - 1) * 100, 1))} %"
        return write_signed(amount)

    def end(self, sum_: float) -> str:
        """The base, or where the bars end."""
        return write_rounded(exp(sum_) if self.scale is ContributionScale.LOGARITHM else sum_)

    @property
    def spoken(self) -> str:
        """What a screen reader says when the answer arrives."""
        between = f", between {self.interval[0]} and {self.interval[1]}" if self.interval else ""
        return f"{self.headline} {self.unit}{between}".strip()


def view(model: Mapping[str, Any], output: Mapping[str, Any], values: Mapping[str, str]) -> AnswerView:
    bars = contributions(output, values)
    ends = output.get("interval")
    return AnswerView(
        _headline(output),
        "" if "label" in output or "probability" in output else model["unit"],
        (write_rounded(ends[0], 4), write_rounded(ends[1], 4)) if ends else None,
        _share(model.get("quantiles", ())),
        _scores(output),
        bars,
        _scale(bars, output.get("prediction")),
        output.get("warnings", []),
    )


def _scale(bars: Contributions | None, prediction: object) -> ContributionScale:
    if bars is None or not isinstance(prediction, int | float):
        return ContributionScale.OTHER
    margin = bars.margin
    if isclose(margin, prediction, rel_tol=1e-4, abs_tol=1e-5):
        return ContributionScale.PREDICTION
    parts = [bars.base, margin, *(bar.amount for bar in bars.bars)]
    if max(map(abs, parts)) < LARGEST_EXPONENT and isclose(exp(margin), prediction, rel_tol=1e-4):
        return ContributionScale.LOGARITHM
    return ContributionScale.OTHER


def _headline(output: Mapping[str, Any]) -> str:
    if "label" in output:
        return str(output["label"])
    prediction = output.get("prediction")
    if isinstance(prediction, dict):
        return ", ".join(write_number(each) for each in prediction.values())
    if isinstance(output.get("probability"), int | float):
        return _percent(output["probability"])
    return write_number(prediction)


def _scores(output: Mapping[str, Any]) -> list[Score]:
    prediction, probability = output.get("prediction"), output.get("probability")
    if "probabilities" in output:
        ordered = sorted(output["probabilities"].items(), key=lambda item: -item[1])
        return [Score(name, _percent(share), share) for name, share in ordered]
    if isinstance(probability, dict):
        return [Score(name, _percent(share), share) for name, share in probability.items()]
    if isinstance(prediction, dict):
        return [Score(name, write_number(each)) for name, each in prediction.items()]
    if probability is not None:
        return [Score("probability of class 1", _percent(probability), probability)]
    return []


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"


def _share(quantiles: Sequence[float]) -> str:
    return f"{(max(quantiles) - min(quantiles)) * 100:.3g}" if len(quantiles) > 1 else ""
