"""python -m web: serves the HTTP API."""

from gevent import monkey

monkey.patch_all()  # before any other import, which could keep what it replaces

import argparse  # noqa: E402
import secrets  # noqa: E402
import sys  # noqa: E402

from jobs.errors import InvalidSettings  # noqa: E402
from jobs.files.privacy import write_privately  # noqa: E402
from jobs.logs import log_to_stderr  # noqa: E402
from jobs.settings import load_settings  # noqa: E402
from model.description.errors import ModelError  # noqa: E402
from web.keys import KEY_NAME, digest  # noqa: E402
from web.server import WebServer  # noqa: E402
from web.starting import check_start  # noqa: E402
from web.webhooks.secrets import new_secret  # noqa: E402


def main() -> int:
    arguments = _arguments()
    if name := arguments.new_key or arguments.new_webhook_secret:
        if not KEY_NAME.fullmatch(name):
            print(
                "web: the name of a key must be 1 to 32 characters of a-z, 0-9, _ and -, "
                "and begin with a letter or a digit",
                file=sys.stderr,
            )
            return 2
        print(_new_key(name) if arguments.new_key else _new_secret(name))
        return 0
    try:
        write_privately()
        settings = load_settings()
        keys, catalog = check_start(settings, arguments.host, arguments.port)
        journal = log_to_stderr(settings.log_level)
        WebServer(settings, keys, catalog, journal, arguments.host, arguments.port).run()
    except (InvalidSettings, ModelError) as error:
        print(f"web: {error}", file=sys.stderr)
        return 2
    return 0


def _new_key(name: str) -> str:
    key = secrets.token_urlsafe(32)
    return f"key, for the caller:             {key}\nentry, for PAYGRADE_API_KEYS:    {name}:{digest(key)}"


def _new_secret(name: str) -> str:
    secret = new_secret()
    return (
        f"secret, for the receiver:              {secret}\n"
        f"entry, for PAYGRADE_WEBHOOK_SECRETS:   {name}:{secret}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m web",
        description="Serves the HTTP API: accepts predictions and batches, and returns their results.",
        epilog="All other settings come from the environment (see .env.example). "
        "Example: REDIS_URL=redis://127.0.0.1:6379/0 python -m web --port 8000",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument("--new-key", metavar="NAME", help="create a key for a caller, print it, and exit")
    parser.add_argument(
        "--new-webhook-secret", metavar="NAME", help="create a secret for the webhooks of a key, and exit"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
