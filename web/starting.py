"""What web refuses to start with. `run.py` asks here too, before it starts anything."""

from typing import NamedTuple

from jobs.errors import InvalidSettings
from jobs.settings import Settings
from model.description.catalog import Catalog
from web.keys import ApiKeys
from web.listening import check_free, is_loopback
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
    WebhookSecrets(settings)  # raises InvalidSettings
    catalog = Catalog(settings.bundles, settings.default_model)
    catalog.find()  # raises UnknownModel without the default model
    check_free(host, port)
    return Checked(keys, catalog)
