"""The command line of the deployment: `python -m ecs`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from ecs import doctor, down, key, logs, plan, ps, push, rollback, run, scale, smoke, up, update, url
from ecs.aws import AWS_ERRORS, Aws, in_a_line
from ecs.deployment import Deployment
from ecs.errors import EcsError, Interrupted
from ecs.names import Names
from ecs.screen import Screen

DEPLOYMENT = "paygrade"
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
    except AWS_ERRORS as error:
        return _complain(in_a_line(error))
    except EcsError as error:
        return _complain(error)
    except KeyboardInterrupt:
        return _complain(Interrupted("interrupted"))
    except BrokenPipeError:  # `head` has read enough; Python would write what is left at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _complain(error: EcsError) -> int:
    if isinstance(error, Interrupted) and sys.stderr.isatty():
        print(file=sys.stderr)  # the terminal has written ^C there
    print(f"ecs: {error}", file=sys.stderr)
    if error.next_step:
        print(f"  next: {error.next_step}", file=sys.stderr)
    return error.status


def _common(**default: Any) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, **default)
    group = common.add_argument_group("for every command")
    group.add_argument("--stack", metavar="NAME", help=f"name of the deployment ({DEPLOYMENT})")
    group.add_argument("--region", help="AWS region (AWS_REGION, or the profile's)")
    group.add_argument("--profile", help="profile of ~/.aws/config (AWS_PROFILE)")
    group.add_argument("--yes", action="store_true", help="do not ask")
    group.add_argument(
        "--json", action="store_true", help="JSON on standard output, all else on standard error"
    )
    return common


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ecs",
        parents=[_common()],
        description="Plans, applies, watches, updates and removes Paygrade on Amazon ECS.",
        epilog="Each command has --help with examples. All of it from the beginning: ecs/README.md",
    )
    parser.set_defaults(stack=DEPLOYMENT)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="command")
    for name, verb in VERBS.items():
        each = verbs.add_parser(
            name,
            # Not given after the command, it stays what was given before it.
            parents=[_common(argument_default=argparse.SUPPRESS)],
            help=verb.HELP,
            description=verb.__doc__,
            epilog=f"examples:\n{verb.EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb.arguments(each)
    return parser


if __name__ == "__main__":
    sys.exit(main())
