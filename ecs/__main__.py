"""The command line of deployments: `python -m ecs`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from ecs import (
    cost,
    doctor,
    down,
    key,
    logs,
    pause,
    plan,
    ps,
    push,
    resume,
    rights,
    rollback,
    rotate,
    run,
    scale,
    schedule,
    smoke,
    up,
    update,
    url,
)
from ecs.aws import AWS_ERRORS, Aws, explain_error
from ecs.deployment import Deployment
from ecs.errors import EcsError, Interrupted
from ecs.names import ResourceNames
from ecs.screen import Screen

DEFAULT_NAME = "paygrade"
COMMANDS: dict[str, Any] = {
    "doctor": doctor,
    "plan": plan,
    "cost": cost,
    "push": push,
    "up": up,
    "ps": ps,
    "url": url,
    "logs": logs,
    "update": update,
    "rollback": rollback,
    "scale": scale,
    "schedule": schedule,
    "pause": pause,
    "resume": resume,
    "run": run,
    "key": key,
    "rotate": rotate,
    "rights": rights,
    "smoke": smoke,
    "down": down,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    options = _parser().parse_args(argv)
    screen = Screen(options.json, options.yes)
    try:
        deployment = Deployment(Aws(options.profile, options.region), ResourceNames(options.stack))
        return int(COMMANDS[options.subcommand].run(deployment, screen, options))
    except AWS_ERRORS as error:
        return _report(explain_error(error))
    except EcsError as error:
        return _report(error)
    except KeyboardInterrupt:
        return _report(Interrupted("interrupted"))
    except BrokenPipeError:  # `head` closed the pipe; Python would fail again when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _report(error: EcsError) -> int:
    if isinstance(error, Interrupted) and sys.stderr.isatty():
        print(file=sys.stderr)  # the terminal has printed ^C on this line
    print(f"ecs: {error}", file=sys.stderr)
    if error.next_step:
        print(f"  next: {error.next_step}", file=sys.stderr)
    return error.status


def _common_options(**default: Any) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, **default)
    group = common.add_argument_group("options of every command")
    group.add_argument("--stack", metavar="NAME", help=f"name of the deployment (default: {DEFAULT_NAME})")
    group.add_argument("--region", help="AWS region (default: AWS_REGION, or the region of the profile)")
    group.add_argument("--profile", help="profile in ~/.aws/config (default: AWS_PROFILE)")
    group.add_argument("--yes", action="store_true", help="answer every question with yes")
    group.add_argument(
        "--json", action="store_true", help="print JSON on standard output, and text on standard error"
    )
    return common


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ecs",
        parents=[_common_options()],
        description="Plans, creates, updates, watches and removes Paygrade on Amazon ECS.",
        epilog="Each command has --help with examples. The guide is docs/guides/ecs.md.",
    )
    parser.set_defaults(stack=DEFAULT_NAME)
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="command")
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            # Suppressed defaults keep the values of options that stand before the command.
            parents=[_common_options(argument_default=argparse.SUPPRESS)],
            help=command.HELP,
            description=command.__doc__,
            epilog=f"examples:\n{command.EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(subparser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
