"""paygrade save."""

import argparse
import importlib
import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paygrade
from paygrade.commands.arguments import Command, positive_int
from paygrade.commands.errors import SavingFailed
from paygrade.errors import InvalidInput

EXAMPLES = """\
  paygrade save train.py:pipeline trained/rents/1 --name rents --sample train.py:flats --target rent
  paygrade save flats.model:best trained/rents/2 --name rents --version 2 --sample flats.csv --target rent
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", metavar="SCRIPT:NAME", help="the fitted pipeline: a variable of a script, or of a module"
    )
    parser.add_argument("directory", type=Path, metavar="DIRECTORY", help="where the bundle is written")
    parser.add_argument("--name", required=True, help="name of the model")
    parser.add_argument(
        "--sample",
        required=True,
        metavar="SAMPLE",
        help="rows that prove the bundle: SCRIPT:NAME of a DataFrame, or a CSV or Parquet file",
    )
    parser.add_argument(
        "--target", required=True, action="append", help="name of what is predicted; once for each target"
    )
    parser.add_argument("--unit", default="", help="unit of what is predicted")
    parser.add_argument(
        "--version", type=positive_int, default=1, metavar="N", help="version of the model (%(default)s)"
    )
    parser.add_argument(
        "--class", action="append", dest="classes", metavar="NAME", help="name of each class, in their order"
    )


def run(options: argparse.Namespace) -> int:
    """Runs the script that fits a pipeline of scikit-learn, and writes the pipeline as a bundle.

    No pickle is read. The bundle is proved: it is written only if it scores each row of the sample as the
    pipeline does, to the last bit. The exit status is 1 if it is not written.
    """
    try:
        save, refused = paygrade.save, paygrade.SaveRefused
    except ImportError as error:
        raise InvalidInput(f"{error}; saving needs more: pip install 'paygrade[save]'") from None
    scripts = Scripts()
    model, sample = scripts.variable(options.model), _sample(options.sample, scripts)
    try:
        written = save(
            model,
            options.directory,
            name=options.name,
            sample=sample,
            target=options.target if len(options.target) > 1 else options.target[0],
            unit=options.unit,
            version=options.version,
            classes=options.classes,
        )
    except refused as error:
        raise SavingFailed(str(error)) from None
    print(f"{options.name}@{options.version} is in {written}, and scores as the pipeline does")
    return 0


class Scripts:
    """Scripts and modules with the variables that they have once they have run; each runs once."""

    def __init__(self) -> None:
        self._variables: dict[str, dict[str, Any]] = {}

    def variable(self, text: str) -> Any:
        script, separator, name = text.rpartition(":")
        if not (script and separator and name):
            raise InvalidInput(f"{text!r} must be SCRIPT:NAME, as in train.py:pipeline")
        if script not in self._variables:
            self._variables[script] = _run(script)
        if name not in self._variables[script]:
            raise InvalidInput(f"{script} has no variable {name}")
        return self._variables[script][name]


def _run(script: str) -> dict[str, Any]:
    is_script = script.endswith(".py")
    if is_script and not Path(script).is_file():
        raise InvalidInput(f"there is no script {script}")
    run: Callable[[str], dict[str, Any]] = runpy.run_path if is_script else _imported
    sys.path.insert(0, str(Path(script).parent) if is_script else "")  # as Python itself begins
    try:
        return run(script)
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        raise SavingFailed(
            f"{script} raised {type(error).__name__}: {error} ({line.filename}, line {line.lineno})"
        ) from None


def _imported(module: str) -> dict[str, Any]:
    return vars(importlib.import_module(module))


def _sample(text: str, scripts: Scripts) -> Any:
    """A table of a file is read by pandas, as the pipeline's author would."""
    ending = Path(text).suffix
    if ending not in (".csv", ".parquet"):
        return scripts.variable(text)
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise InvalidInput(f"{error}; a sample in a file is read by pandas") from None
    return pandas.read_csv(text) if ending == ".csv" else pandas.read_parquet(text)


COMMAND = Command("save", "save a fitted pipeline as a bundle", EXAMPLES, add_arguments, run, calls=False)
