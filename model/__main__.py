"""The command line of models: `python -m model`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from model.cli import comparing, importing, life, reporting, showing, training
from model.cli.arguments import make_parser
from model.description.errors import ModelError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 after one line on stderr."""
    options = make_parser().parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else arguments
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


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    **training.COMMANDS,
    **importing.COMMANDS,
    **showing.COMMANDS,
    **comparing.COMMANDS,
    **reporting.COMMANDS,
    **life.COMMANDS,
}

if __name__ == "__main__":
    sys.exit(main())
