"""How to train is the caller's choice, trials look for better parameters, and a verdict says the rest."""

from pathlib import Path

import numpy as np
import pytest

from model.training.metrics import Spread
from model.training.verdict import verdict
from tests.unit.model.command import made, refusal, run, write_csv


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target that no line follows."""
    chance = np.random.default_rng(1)
    x = chance.uniform(0, 10, 200)
    rows = np.column_stack([x, chance.uniform(0, 1, 200), np.sin(x) + 0.01 * chance.normal(size=200)])
    return write_csv(tmp_path_factory.mktemp("tables") / "waves.csv", ["x", "other", "y"], rows.tolist())


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(
        tmp_path_factory.mktemp("tables") / "line.csv",
        ["x", "y"],
        [[n * 7 % 100, n * 7 % 100 * 3] for n in range(100)],
    )


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = np.random.default_rng(2).uniform(0, 1, (200, 3)).tolist()
    return write_csv(tmp_path_factory.mktemp("tables") / "noise.csv", ["a", "b", "y"], rows)


def test_rounds_depth_and_rate_are_used_and_recorded(waves: Path, tmp_path: Path) -> None:
    options = (
        "--rounds",
        "7",
        "--depth",
        "2",
        "--rate",
        "0.5",
        "--param",
        "lambda=3",
        "--param",
        "grow_policy=lossguide",
    )
    manifest = made("train", waves, "--target", "y", *options, "--output", tmp_path)
    assert (manifest.trees, manifest.training["rounds"]) == (7, 7)
    expected = {"max_depth": 2, "learning_rate": 0.5, "reg_lambda": 3, "grow_policy": "lossguide"}
    assert expected.items() <= manifest.training["parameters"].items()
    again = made("train", waves, "--target", "y", *options, "--output", tmp_path / "again")
    assert again.sha256 == manifest.sha256


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--param", "max_deph=3"), "XGBoost has no parameter max_deph for this model; leave it out"),
        (("--param", "max_depth=deep"), "expect int but value='deep'"),
        (("--param", "subsample=2"), "value 2 for Parameter subsample exceed bound"),
        (("--param", "eval_metric=nearness"), "Unknown metric function nearness"),
        (("--param", 'monotone_constraints={"size": 1}'), "not a subset of training data feature names"),
        (("--param", "max_depth"), "must be a name and a value, as in max_bin=64"),
        (("--param", "n_jobs=4"), "use --threads instead"),
        (("--param", "objective=reg:gamma"), "use --objective or --classify instead"),
        (("--param", "booster=gblinear"), "cannot be set here"),
        (("--param", "eta=0.1", "--rate", "0.2"), "the parameter learning_rate is given twice; give it once"),
        (("--rate", "-1"), "learning_rate should be greater equal to 0"),
    ],
)
def test_a_parameter_that_xgboost_would_ignore_or_refuse_is_one_line(
    waves: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    assert message in refusal("train", waves, "--target", "y", *arguments, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_tuning_keeps_what_the_caller_set_and_finds_better_parameters(waves: Path, tmp_path: Path) -> None:
    usual = ("train", waves, "--target", "y", "--rounds", "15", "--depth", "3", "--output")
    untuned, tuned = made(*usual, tmp_path / "a"), made(*usual, tmp_path / "b", "--tune", "6")
    assert tuned.training["tuning_trials"] == 6
    parameters = tuned.training["parameters"]
    assert parameters["max_depth"] == 3
    assert parameters["learning_rate"] != untuned.training["parameters"]["learning_rate"]
    errors = [each.metrics["model"]["root_mean_squared_error"]["mean"] for each in (untuned, tuned)]
    assert errors[1] < errors[0]
    assert made(*usual, tmp_path / "c", "--tune", "6").sha256 == tuned.sha256


def test_a_classifier_is_tuned(tmp_path: Path) -> None:
    rows = [[n % 17, n % 5, "yes" if n % 17 > 8 else "no"] for n in range(120)]
    table = write_csv(tmp_path / "t.csv", ["a", "b", "sold"], rows)
    tuned = made(
        "train", table, "--target", "sold", "--classify", "--rounds", "5", "--tune", "2", "--output", tmp_path
    )
    assert tuned.training["tuning_trials"] == 2


def test_the_verdict_is_in_the_output(waves: Path, line: Path, noise: Path, tmp_path: Path) -> None:
    def said(table: Path) -> str:
        return run("train", table, "--target", "y", "--output", tmp_path).out

    assert "the model beats both: its root mean squared error is" in said(waves)
    assert "the model does not beat the linear model: its" in said(line)
    assert "the constant: its" in said(noise)


def spread(**means: float) -> dict[str, Spread]:
    return {name: {"log_loss": {"mean": mean, "deviation": 0.1}} for name, mean in means.items()}


@pytest.mark.parametrize(
    ("means", "said"),
    [
        (
            {"model": 0.5, "constant": 1.0, "linear": 0.8},
            "the model beats both: its log loss is 37.5% lower than that of the linear model",
        ),
        (
            {"model": 0.75, "constant": 0.8, "linear": 1.0},
            "the model beats both: its log loss is 6.2% lower than that of the constant, "
            "which is less than the folds differ",
        ),
        (
            {"model": 0.8, "constant": 1.0, "linear": 0.8},
            "the model does not beat the linear model: its log loss is 0.8, against 0.8 for the linear "
            "model; try --tune 30, other features, or more rows",
        ),
        (
            {"model": 0.9, "constant": 0.8, "linear": 0.7},
            "the model does not beat the linear model and the constant: its log loss is 0.9, against "
            "0.7 for the linear model and 0.8 for the constant; try --tune 30, other features, or more rows",
        ),
    ],
)
def test_the_verdict_is_plain(means: dict[str, float], said: str) -> None:
    assert verdict(spread(**means), "log_loss") == said
