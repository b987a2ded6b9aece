"""The arguments of `python -m model`."""

import argparse

from model.cli.comparing import add_comparing
from model.cli.importing import add_importing
from model.cli.life import add_life
from model.cli.reporting import add_reporting
from model.cli.showing import add_list, add_showing
from model.cli.training import add_shipped, add_training

EXAMPLES = """\
examples:
  python -m model train wages.csv --target wage --quantiles 0.05,0.95
  python -m model train churn.parquet --target left --classify --drop customer_id
  python -m model import booster.ubj --name rent --target rent --sample rows.csv --scores predicted
  python -m model import models:/rent@champion --target rent --sample rows.csv --scores predicted
  python -m model check trained/rent/1
  python -m model report rent@2 --data new-rents.csv
  python -m model compare rent trained/rent/2 --data rents.csv --report rents.html
  python -m model publish trained/rent/2 --to s3://my-bucket/bundles --sample rents.csv
  python -m model list --bundles s3://my-bucket/bundles
  python -m model alias rent@champion 2
  python -m model rollback rent@champion
  python -m model show rent@1
  python -m model salary
"""


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m model",
        description="Train, import, inspect, report on, compare and publish models, and name their versions.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    add_training(commands)
    add_importing(commands)
    add_showing(commands)
    add_reporting(commands)
    add_comparing(commands)
    add_life(commands)
    add_list(commands)
    add_shipped(commands)
    for command in commands.choices.values():
        command.epilog = EXAMPLES
        command.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser
