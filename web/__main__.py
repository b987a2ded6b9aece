"""python -m web: takes predictions in over HTTP, and answers for them."""

from gevent import monkey

monkey.patch_all()  # before anything else, or what it replaces is in use already

import argparse  # noqa: E402
import secrets  # noqa: E402
import sys  # noqa: E402

from jobs.errors import InvalidSettings  # noqa: E402
from jobs.logs import log_to_stderr  # noqa: E402
from jobs.settings import load_settings  # noqa: E402
from model.description.catalog import Catalog  # noqa: E402
from model.description.errors import ModelError  # noqa: E402
from web.keys import KEY_NAME, Keys, digest  # noqa: E402
from web.listening import check_free, is_loopback  # noqa: E402
from web.server import Server  # noqa: E402


def main() -> int:
    arguments = _arguments()
    if arguments.new_key:
        if not KEY_NAME.fullmatch(arguments.new_key):
            print("web: the name of a key is 1 to 32 of a-z, 0-9, _ and -", file=sys.stderr)
            return 2
        key = secrets.token_urlsafe(32)
        print(f"key, for the caller:             {key}")
        print(f"entry, for PAYGRADE_API_KEYS:    {arguments.new_key}:{digest(key)}")
        return 0
    try:
        settings = load_settings()
        keys = Keys(settings.api_keys.get_secret_value())
        if not (keys or settings.allow_anyone or is_loopback(arguments.host)):
            raise InvalidSettings(
                f"without PAYGRADE_API_KEYS web listens on loopback only, not on {arguments.host}; "
                "set keys, or PAYGRADE_ALLOW_ANYONE=true"
            )
        journal = log_to_stderr(settings.log_level)
        catalog = Catalog(settings.bundles, settings.default_model)
        catalog.find()  # without its default model there is nothing to answer
        check_free(arguments.host, arguments.port)
        Server(settings, keys, catalog, journal, arguments.host, arguments.port).run()
    except (InvalidSettings, ModelError) as error:
        print(f"web: {error}", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m web",
        description="Starts the web server: predictions in, records out.",
        epilog="All other settings come from the environment (see .env.example). "
        "Example: REDIS_URL=redis://127.0.0.1:6379/0 python -m web --port 8000",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument("--new-key", metavar="NAME", help="make a key for a caller, print it, and end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
