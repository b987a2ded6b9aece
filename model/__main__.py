"""The command line of models: `python -m model`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from model.errors import ModelError
from model.salary import publish_salary

BUNDLES = Path(__file__).parent / "bundles"
EXAMPLES = """\
examples:
  python -m model salary
  python -m model salary --output /srv/bundles
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and answer with its exit status."""
    options = _parser().parse_args(arguments)
    try:
        manifest = publish_salary(options.output)
    except (ModelError, OSError) as error:
        print(f"python -m model: {error}", file=sys.stderr)
        return 2
    print(f"{manifest.ref} is in {manifest.directory} (sha256 {manifest.sha256})")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model",
        description="Train and publish models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    salary = commands.add_parser(
        "salary",
        help="train the default model, salary@1",
        description="Train the default model and write it as salary/1/. The same bytes come out each time.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    salary.add_argument(
        "--output", type=Path, default=BUNDLES, metavar="DIR", help="directory of the bundles (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
