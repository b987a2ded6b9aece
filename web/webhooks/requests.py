"""The webhook that a request names: whether it can be sent, and what the record keeps of it."""

from model.description.schema import Fault
from web.problems import Problem
from web.webhooks.receivers import InvalidReceiver, Receivers
from web.webhooks.secrets import WebhookSecrets


class WebhookRequests:
    def __init__(self, receivers: Receivers, secrets: WebhookSecrets) -> None:
        self._receivers = receivers
        self._secrets = secrets

    def accept(self, url: str, owner: str) -> str:
        """What the record keeps of this webhook. Raises Problem (422) for one that cannot be sent."""
        try:
            receiver = self._receivers.parse(url)
        except InvalidReceiver as error:
            raise Problem(
                422, "the webhook is invalid; see errors", [Fault("/webhook", str(error))]
            ) from None
        if not self._secrets.of(owner):
            fault = Fault("/webhook", f"needs a secret of {owner} in PAYGRADE_WEBHOOK_SECRETS, to sign with")
            raise Problem(422, "webhooks cannot be signed for this owner; see errors", [fault])
        return receiver.stored(owner)
