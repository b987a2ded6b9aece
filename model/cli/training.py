"""The commands that train: `train`, and `salary` and `wages`, which make the shipped models again."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.bundle import Bundle
from model.cli.options import (
    SETTING,
    add_description,
    add_table,
    default_directory,
    newest_served,
    positive,
    quantiles,
    table_options,
)
from model.cli.render import render_metrics, render_written
from model.cli.reporting import command_line
from model.description.files import REPORT_FILE
from model.publish import publish

if TYPE_CHECKING:
    from model.report.subject import Subject

SHIPPED_MODELS = (("salary", "the default model, salary@1"), ("wages", "the second model, wages@1"))


def add_training(commands: Any) -> None:
    """Add the command `train`."""
    _add_train(commands.add_parser("train", help="train a model on a table (CSV or Parquet)"))


def add_shipped(commands: Any) -> None:
    """Add the commands of the shipped models."""
    for name, model in SHIPPED_MODELS:
        shipped = commands.add_parser(
            name,
            help=f"train {model}",
            description=f"Train {model}, and write its bundle and report. Every run trains the same trees.",
        )
        shipped.add_argument(
            "--output",
            type=Path,
            default=default_directory(),
            metavar="DIR",
            help=f"directory of bundles (default: {SETTING}, now %(default)s)",
        )


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Train a model on a table and write it as a bundle. The metrics are those of five folds, beside a\n"
        "constant and a linear model. In CSV an empty field is a missing value. The same table, options and\n"
        "seed give the same bytes."
    )
    add = parser.add_argument
    add("table", type=Path, metavar="FILE", help="CSV (with a header) or Parquet")
    add("--target", required=True, metavar="COLUMN", help="the column to predict")
    add_description(parser)
    add("--classify", action="store_true", help="the target is a class, not a number")
    add("--objective", default="", metavar="NAME", help="XGBoost's name of the objective")
    add("--log", action="store_true", help="train on the logarithm of the target")
    add("--quantiles", type=quantiles, default=(), metavar="LOW,HIGH", help="add an interval: 0.05,0.95")
    add("--base-margin", default="", metavar="COLUMN", help="number that the trees' sum starts from")
    add("--drop", action="append", default=[], metavar="COLUMN", help="a column to leave out (repeatable)")
    add_table(parser)
    add("--limits", type=Path, metavar="FILE", help='JSON, such as {"years": {"minimum": 0, "maximum": 60}}')
    add("--rounds", type=positive, metavar="N", help="rounds of trees (default: found by early stopping)")
    add("--depth", type=positive, metavar="N", help="depth of a tree: max_depth")
    add("--rate", type=float, metavar="X", help="learning rate: learning_rate")
    add("--param", action="append", default=[], metavar="NAME=VALUE", help="XGBoost's parameter (repeatable)")
    add("--tune", type=positive, default=0, metavar="N", help="look for better parameters in N trials")
    add("--seed", type=int, default=0, metavar="N", help="seed of all random choices (%(default)s)")
    add("--threads", type=positive, default=1, metavar="N", help="threads for XGBoost (%(default)s)")


def _train(options: argparse.Namespace) -> str:
    from model.report.subject import subject_of_training
    from model.tables.table import read_table
    from model.training.data_checks import find_problems
    from model.training.dataset import DatasetOptions, make_dataset, read_limits
    from model.training.metrics import main_metric
    from model.training.parameters import TrainingOptions, read_parameters
    from model.training.target import TargetOptions
    from model.training.train import train
    from model.training.trained import model_name
    from model.training.verdict import verdict

    target = TargetOptions(options.objective, options.classify, options.log, options.quantiles)
    limits = read_limits(options.limits) if options.limits else {}
    name = model_name(options.table.name, options.name)
    parameters = read_parameters(options.param, options.depth, options.rate)
    how = TrainingOptions(parameters, options.rounds, options.tune, options.seed, options.threads)
    newest = newest_served(name)
    table = read_table(options.table, table_options(options))
    dataset = make_dataset(
        table, DatasetOptions(options.target, target, options.drop, options.base_margin, limits)
    )
    for problem in find_problems(dataset):
        print(f"warning: {problem}", file=sys.stderr)
    trained = train(table, dataset, name, options.unit, how)
    manifest = publish(options.output, trained.booster, trained.description, trained.golden_rows, newest)
    report = _report(
        subject_of_training(Bundle.load(manifest), table, dataset, trained, command_line(options))
    )
    said = verdict(manifest.metrics, main_metric(dataset.target))
    lines = [render_metrics(manifest.metrics), said, f"the report is in {report}", render_written(manifest)]
    return "\n".join(lines)


def _report(subject: "Subject") -> Path:
    """Write the report into the bundle; returns its file."""
    from model.report.single import write_report

    file = subject.manifest.directory / REPORT_FILE
    file.write_bytes(write_report(subject))
    return file


def _salary(options: argparse.Namespace) -> str:
    from model.report.subject import subject_of_table
    from model.training.salary import publish_salary, salary_table

    manifest = publish_salary(options.output)
    _report(subject_of_table(Bundle.load(manifest), salary_table(), "python -m model salary"))
    return render_written(manifest)


def _wages(options: argparse.Namespace) -> str:
    from model.report.subject import subject_of_training
    from model.training.wages import train_wages

    table, dataset, trained = train_wages()
    description = {**trained.description, "version": 1}
    manifest = publish(options.output, trained.booster, description, trained.golden_rows)
    bundle = Bundle.load(manifest)
    _report(subject_of_training(bundle, table, dataset, trained, "python -m model wages"))
    return render_written(manifest)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "train": _train,
    "salary": _salary,
    "wages": _wages,
}
