"""The command line of the deployment: `python -m ecs`."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ecs import doctor, down, key, logs, plan, ps, push, rollback, run, scale, smoke, up, update, url
from ecs.aws import Aws, in_a_line
from ecs.deployment import Deployment
from ecs.errors import EcsError
from ecs.names import Names
from ecs.screen import Screen

VERBS: dict[str, Any] = {
    "doctor": doctor,
    "plan": plan,
    "push": push,
    "up": up,
    "ps": ps,
    "url": url,
    "logs": logs,
    "update": update,
    "rollback": rollback,
    "scale": scale,
    "run": run,
    "key": key,
    "smoke": smoke,
    "down": down,
}


def main(given: Sequence[str] | None = None) -> int:
    """Run one verb and answer with its exit status."""
    options = _parser().parse_args(given)
    screen = Screen(options.json, options.yes)
    try:
        deployment = Deployment(Aws(options.profile, options.region), Names(options.stack))
        return int(VERBS[options.verb].run(deployment, screen, options))
    except (BotoCoreError, ClientError) as error:
        return _complain(in_a_line(error))
    except EcsError as error:
        return _complain(error)
    except KeyboardInterrupt:
        print("\necs: no longer watching; what AWS has begun goes on", file=sys.stderr)
        print(
            "  next: python -m ecs up follows it to its end; python -m ecs ps shows how things are",
            file=sys.stderr,
        )
        return 130


def _complain(error: EcsError) -> int:
    print(f"ecs: {error}", file=sys.stderr)
    if error.next_step:
        print(f"  next: {error.next_step}", file=sys.stderr)
    return error.status


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("for every command")
    group.add_argument(
        "--stack", default="paygrade", metavar="NAME", help="name of the deployment (%(default)s)"
    )
    group.add_argument("--region", help="AWS region (AWS_REGION, or the profile's)")
    group.add_argument("--profile", help="profile of ~/.aws/config (AWS_PROFILE)")
    group.add_argument("--yes", action="store_true", help="do not ask")
    group.add_argument(
        "--json", action="store_true", help="JSON on standard output, all else on standard error"
    )
    parser = argparse.ArgumentParser(
        prog="python -m ecs",
        description="Plans, applies, watches, updates and removes Paygrade on Amazon ECS.",
        epilog="Each command has --help with examples. All of it from the beginning: ecs/README.md",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="command")
    for name, verb in VERBS.items():
        each = verbs.add_parser(
            name,
            parents=[common],
            help=verb.HELP,
            description=verb.__doc__,
            epilog=f"examples:\n{verb.EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb.arguments(each)
    return parser


if __name__ == "__main__":
    sys.exit(main())
