"""The output of a row as the page shows it."""

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any, NamedTuple

from web.page.charts import Contributions, contributions
from web.page.writing import write_number


class Score(NamedTuple):
    name: str
    value: str
    share: float | None = None
    """Of the whole, if it is a probability."""


class AnswerView(NamedTuple):
    """`headline` is the answer in large; `scores` are what stands below it."""

    headline: str
    unit: str
    interval: tuple[str, str] | None
    share_within: str
    """How many percent of the cases should be within the interval."""
    scores: list[Score]
    bars: Contributions | None
    same_scale: bool
    """Whether the bars end at the prediction, and not at what a link function or a transform makes it of."""
    warnings: list[str]

    @property
    def spoken(self) -> str:
        """For a screen reader, when the answer arrives."""
        between = f", between {self.interval[0]} and {self.interval[1]}" if self.interval else ""
        return f"{self.headline} {self.unit}{between}".strip()


def view(model: Mapping[str, Any], output: Mapping[str, Any], values: Mapping[str, str]) -> AnswerView:
    bars = contributions(output, values)
    prediction = output.get("prediction")
    same = bars is not None and isinstance(prediction, int | float) and _same(bars.margin, prediction)
    ends = output.get("interval")
    return AnswerView(
        _headline(output),
        "" if "label" in output or "probability" in output else model["unit"],
        (write_number(ends[0]), write_number(ends[1])) if ends else None,
        _share(model.get("quantiles", ())),
        _scores(output),
        bars,
        same,
        output.get("warnings", []),
    )


def _same(margin: float, prediction: float) -> bool:
    return isclose(margin, prediction, rel_tol=1e-4, abs_tol=1e-5)


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
