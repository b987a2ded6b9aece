"""What web refuses to start with. `run.py` asks here too, before it starts anything."""

import errno
import ipaddress
import socket
from typing import NamedTuple

from jobs.errors import InvalidSettings
from jobs.queues.names import BATCH
from jobs.settings import Settings
from jobs.tracing import check_tracing
from model.description.catalog import Catalog
from web.keys import ApiKeys
from web.webhooks.secrets import WebhookSecrets


class Checked(NamedTuple):
    keys: ApiKeys
    catalog: Catalog


def check_start(settings: Settings, host: str, port: int) -> Checked:
    """Raises InvalidSettings or ModelError, in one line, for what web could not serve with."""
    keys = ApiKeys(settings.api_keys.get_secret_value(), settings.api_keys_file)
    if not (keys.owners or settings.allow_anyone or is_loopback(host)):
        raise InvalidSettings(
            f"without keys web listens on loopback only, not on {host}; "
            "set PAYGRADE_API_KEYS, or PAYGRADE_ALLOW_ANYONE=true"
        )
    if settings.event_queue and BATCH.name not in settings.served:
        raise InvalidSettings(
            "PAYGRADE_EVENT_QUEUE makes batches of files, and PAYGRADE_QUEUES is predictions: no worker "
            "would score them; add batches to PAYGRADE_QUEUES, or set no PAYGRADE_EVENT_QUEUE"
        )
    WebhookSecrets(settings)  # raises InvalidSettings
    check_tracing(settings.otlp_endpoint)
    catalog = Catalog(settings.bundles, settings.default_model)
    catalog.find()  # raises UnknownModel without the default model
    check_free(host, port)
    return Checked(keys, catalog)


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_free(host: str, port: int) -> None:
    """Raises InvalidSettings if web cannot listen on the port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InvalidSettings(
                    f"port {port} is in use; choose another, as in --port {port + 1}"
                ) from None
            raise InvalidSettings(f"cannot listen on {host}, port {port}: {error.strerror}") from None
        except OverflowError:
            raise InvalidSettings(f"there is no port {port}; they go from 1 to 65535") from None
