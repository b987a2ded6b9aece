"""key: adds, lists and revokes callers' API keys, and adds secrets of webhooks.

Web reads them again every minute, so that no task has to be restarted.
"""

import argparse
import re

from ecs import api_keys
from ecs.deployment import Deployment
from ecs.errors import InvalidUsage, ResourceNotFound
from ecs.screen import Screen
from ecs.template import Template

HELP = "add, list and revoke the keys of callers"
EXAMPLES = """\
  python -m ecs key add alice
  python -m ecs key add prometheus --operate
  python -m ecs key list
  python -m ecs key revoke alice
  python -m ecs key webhook alice
"""
SOON = "web knows it within a minute"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["add", "list", "revoke", "webhook"], help="what to do")
    parser.add_argument("name", nargs="?", help="owner of the key, and of all jobs posted with it")
    parser.add_argument("--operate", action="store_true", help="add: with the scope operate, for operators")
    parser.add_argument("--digest", metavar="START", help="revoke: only the key whose digest starts so")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    if options.action != "list":
        _check_name(options)
    outputs = deployment.base_outputs(Template("app"))
    client = deployment.aws.client("secretsmanager")
    keys = api_keys.EntrySecret(client, outputs["ApiKeysArn"])
    webhooks = api_keys.EntrySecret(client, outputs["WebhookSecretsArn"])
    if options.action == "add":
        _add(screen, keys, options)
    elif options.action == "webhook":
        _add_webhook_secret(screen, webhooks, options.name)
    elif options.action == "list":
        _list(screen, keys, webhooks)
    else:
        _revoke(screen, keys, webhooks, options)
    return 0


def _check_name(options: argparse.Namespace) -> None:
    if not _NAME.fullmatch(options.name or ""):
        raise InvalidUsage(
            f"{options.name or ''!r} is not a valid owner: use 1 to 32 characters from a-z, 0-9, _ and -",
            f"for example python -m ecs key {options.action} alice-2",
        )


def _add(screen: Screen, keys: api_keys.EntrySecret, options: argparse.Namespace) -> None:
    key = api_keys.add_key(keys, options.name, options.operate)
    screen.print(f"API key of {options.name}, shown only now: {key}\n  {SOON}")
    screen.result({"name": options.name, "key": key})


def _add_webhook_secret(screen: Screen, webhooks: api_keys.EntrySecret, name: str) -> None:
    secret = api_keys.add_webhook_secret(webhooks, name)
    screen.print(f"secret of {name}'s webhooks, shown only now: {secret}\n  {SOON}")
    screen.result({"name": name, "secret": secret})


def _list(screen: Screen, keys: api_keys.EntrySecret, webhooks: api_keys.EntrySecret) -> None:
    found = [api_keys.describe(entry) for entry in keys.entries()]
    found += [api_keys.KeyDescription(entry.partition(":")[0], "webhook", "") for entry in webhooks.entries()]
    screen.table(("name", "for", "digest"), [(each.name, each.scope, each.digest) for each in found])
    screen.result([each._asdict() for each in found])


def _revoke(
    screen: Screen, keys: api_keys.EntrySecret, webhooks: api_keys.EntrySecret, options: argparse.Namespace
) -> None:
    before = keys.entries()
    revoked = [each for each in before if api_keys.matches(each, options.name, options.digest or "")]
    secrets = [] if options.digest else [e for e in webhooks.entries() if e.startswith(f"{options.name}:")]
    if not (revoked or secrets):
        raise ResourceNotFound(f"{options.name} has no such key", "python -m ecs key list shows all keys")
    if len(revoked) == len(before):
        raise InvalidUsage(
            "without this key nobody could call, and web would keep it",
            "add another key first, or stop web: python -m ecs scale web 0",
        )
    screen.confirm(
        f"Revoke {len(revoked)} of {len(before)} keys ({options.name})? [y/N]", "nothing was changed"
    )
    keys.write([each for each in before if each not in revoked])
    if secrets:
        webhooks.write([each for each in webhooks.entries() if each not in secrets])
    screen.print(f"revoked: {len(revoked)} keys of {options.name}; web refuses them within a minute")
    screen.result({"name": options.name, "revoked": len(revoked)})
