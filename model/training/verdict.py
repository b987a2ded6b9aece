"""Says plainly whether a model is better than its baselines."""

from collections.abc import Mapping

from model.training.metrics import Spread

BASELINES = {"linear": "the linear model", "constant": "the constant"}


def verdict(metrics: Mapping[str, Spread], metric: str) -> str:
    """Say in a line whether the model beats the linear model and the constant; lower values are better."""
    model, words = metrics["model"][metric]["mean"], metric.replace("_", " ")
    others = {name: metrics[name][metric]["mean"] for name in BASELINES}
    if better := {BASELINES[name]: other for name, other in others.items() if other <= model}:
        values = " and ".join(f"{other:.4g} for {name}" for name, other in better.items())
        return (
            f"the model does not beat {' and '.join(better)}: its {words} is {model:.4g}, against {values}; "
            "try --tune 30, other features, or more rows"
        )
    strongest = min(others, key=lambda name: others[name])
    share = 1 - model / others[strongest]
    line = f"the model beats both: its {words} is {share:.1%} lower than that of {BASELINES[strongest]}"
    small = others[strongest] - model < metrics["model"][metric]["deviation"]
    return f"{line}, which is less than the folds differ" if small else line
