"""The command line of models: `python -m model`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from model.bundle import Bundle
from model.cli import comparing, life, training
from model.cli.arguments import make_parser
from model.cli.bundles import find_bundle
from model.cli.options import newest_served, table_options
from model.cli.render import render_bundle, render_catalog, render_features, render_written
from model.description.catalog import Catalog
from model.description.checks import DESCRIPTION_FILE
from model.description.errors import ModelError
from model.publish import publish


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


def _import(options: argparse.Namespace) -> str:
    from model.importing.assemble import import_model
    from model.importing.open_source import open_source
    from model.importing.options import ImportOptions, read_schema_file
    from model.training.table import read_table
    from model.training.trained import model_name

    import_options = ImportOptions(
        name=model_name(_name_of(options.model), options.name),
        target=options.target or ", ".join(options.targets) or "prediction",
        targets=options.targets,
        unit=options.unit,
        features=read_schema_file(options.schema) if options.schema else (),
        classes=options.classes,
        transform=options.transform,
        base_margin=options.base_margin,
        trees=options.trees,
        missing_value=options.missing_value,
        zero_is_missing=options.zero_is_missing,
        by_position=options.by_position,
        scores=options.scores,
        unproved=options.unproved,
        inexact=options.inexact,
    )
    sample = read_table(options.sample, table_options(options)) if options.sample else None
    for note in sample.notes if sample else ():
        print(f"note: {note}", file=sys.stderr)
    newest = newest_served(import_options.name)
    with open_source(options.model, os.environ) as source:
        imported = import_model(source, import_options, sample)
    trained = imported.trained
    manifest = publish(options.output, trained.booster, trained.description, trained.golden_rows, newest)
    return "\n".join([render_features(manifest), *imported.notes, render_written(manifest)])


def _name_of(model: str) -> str:
    """Return what an imported model is called: its file, its folder, or its name in a registry of MLflow."""
    scheme, colon, rest = model.partition(":/")
    if not colon:
        return Path(model).resolve().name
    return (
        rest.strip("/").partition("/" if scheme == "models" else "\n")[0].partition("@")[0].rpartition("/")[2]
    )


def _show(options: argparse.Namespace) -> str:
    manifest = find_bundle(options.bundle, options.bundles)
    if options.json:
        return (manifest.directory / DESCRIPTION_FILE).read_text(encoding="utf-8").rstrip()
    return render_bundle(manifest)


def _check(options: argparse.Namespace) -> str:
    manifest = find_bundle(options.bundle, options.bundles)
    Bundle.load(manifest)
    return f"{manifest.ref} is whole, and its {len(manifest.golden.rows)} golden rows score as published"


def _list(options: argparse.Namespace) -> str:
    return render_catalog(Catalog(options.bundles, default=""))


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "import": _import,
    "show": _show,
    "check": _check,
    "list": _list,
    **training.COMMANDS,
    **comparing.COMMANDS,
    **life.COMMANDS,
}

if __name__ == "__main__":
    sys.exit(main())
