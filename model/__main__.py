"""The command line of models: `python -m model`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import Bundle
from model.cli.arguments import make_parser
from model.cli.render import render_bundle, render_catalog, render_metrics
from model.description.catalog import Catalog
from model.description.errors import ModelError
from model.description.manifest import DESCRIPTION_FILE, Manifest
from model.publish import publish, publish_copy
from model.registry.open import open_registry

if TYPE_CHECKING:
    from model.training.table import TableOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 after one line on stderr."""
    options = make_parser().parse_args(arguments)
    try:
        print(COMMANDS[options.command](options))
    except (ModelError, OSError) as error:
        print(f"python -m model: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"python -m model: {options.command} needs the package {error.name}; "
            "install the requirements: pip install -r requirements/train.txt",
            file=sys.stderr,
        )
        return 2
    return 0


def _train(options: argparse.Namespace) -> str:
    from model.training.data_checks import find_problems
    from model.training.dataset import DatasetOptions, make_dataset, read_limits
    from model.training.table import read_table
    from model.training.target import TargetOptions
    from model.training.train import train
    from model.training.trained import model_name

    target = TargetOptions(options.objective, options.classify, options.log, options.quantiles)
    limits = read_limits(options.limits) if options.limits else {}
    name = options.name or model_name(options.table.name)
    table = read_table(options.table, _table_options(options))
    dataset = make_dataset(
        table, DatasetOptions(options.target, target, options.drop, options.base_margin, limits)
    )
    for problem in find_problems(dataset):
        print(f"warning: {problem}", file=sys.stderr)
    trained = train(table, dataset, name, options.unit, options.seed, options.threads)
    manifest = publish(options.output, trained.booster, trained.description, trained.golden_rows)
    return f"{render_metrics(manifest.metrics)}\n{_written(manifest)}"


def _import(options: argparse.Namespace) -> str:
    from model.training.importing import ImportOptions, import_model, read_schema_file
    from model.training.table import read_table
    from model.training.trained import model_name

    import_options = ImportOptions(
        name=options.name or model_name(options.model.name),
        target=options.target,
        unit=options.unit,
        features=read_schema_file(options.schema) if options.schema else (),
        classes=options.classes,
        transform=options.transform,
        base_margin=options.base_margin,
        trees=options.trees,
    )
    sample = read_table(options.sample, _table_options(options)) if options.sample else None
    for note in sample.notes if sample else ():
        print(f"note: {note}", file=sys.stderr)
    trained = import_model(options.model, import_options, sample)
    return _written(publish(options.output, trained.booster, trained.description, trained.golden_rows))


def _table_options(options: argparse.Namespace) -> "TableOptions":
    from model.tables.dialect import Dialect
    from model.training.table import TableOptions

    return TableOptions(options.missing, Dialect(options.delimiter, options.decimal), options.encoding)


def _show(options: argparse.Namespace) -> str:
    manifest = _find(options)
    if options.json:
        return (manifest.directory / DESCRIPTION_FILE).read_text(encoding="utf-8").rstrip()
    return render_bundle(manifest)


def _check(options: argparse.Namespace) -> str:
    manifest = _find(options)
    Bundle.load(manifest)
    return f"{manifest.ref} is whole, and its {len(manifest.golden.rows)} golden rows score as published"


def _publish(options: argparse.Namespace) -> str:
    manifest = _find(options)
    ref = publish_copy(manifest.directory, open_registry(options.to, create=True), options.version)
    return f"{ref} is in {options.to}"


def _list(options: argparse.Namespace) -> str:
    return render_catalog(Catalog(options.bundles, default=""))


def _salary(options: argparse.Namespace) -> str:
    from model.training.salary import publish_salary

    return _written(publish_salary(options.output))


def _wages(options: argparse.Namespace) -> str:
    from model.training.wages import publish_wages

    return _written(publish_wages(options.output))


def _find(options: argparse.Namespace) -> Manifest:
    """Find the bundle that BUNDLE names, and bring its files to this machine."""
    directory = Path(options.bundle)
    if directory.is_dir():
        return Manifest.read(directory)
    catalog = Catalog(options.bundles, default="")
    return catalog.fetch(catalog.find(options.bundle))


def _written(manifest: Manifest) -> str:
    return f"{manifest.ref} is in {manifest.directory} (sha256 {manifest.sha256})"


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "train": _train,
    "import": _import,
    "show": _show,
    "check": _check,
    "publish": _publish,
    "list": _list,
    "salary": _salary,
    "wages": _wages,
}

if __name__ == "__main__":
    sys.exit(main())
