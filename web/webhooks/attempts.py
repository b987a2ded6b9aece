"""An attempt to deliver a webhook: signed with the secrets of its owner, and posted to its receiver."""

from collections.abc import Callable
from datetime import UTC, datetime

from jobs import RELEASE
from jobs.webhooks.delivery import ClaimedDelivery, id_of
from web.webhooks.payload import Payloads
from web.webhooks.posting import Answer
from web.webhooks.receivers import InvalidReceiver, Receiver, Receivers
from web.webhooks.secrets import WebhookSecrets, signature_of

Post = Callable[[Receiver, dict[str, str], bytes], Answer]


class WebhookAttempts:
    def __init__(self, payloads: Payloads, receivers: Receivers, secrets: WebhookSecrets, post: Post) -> None:
        self._payloads = payloads
        self._receivers = receivers
        self._secrets = secrets
        self._post = post

    def __call__(self, claimed: ClaimedDelivery) -> Answer:
        try:
            receiver = self._receivers.parse(claimed.url)
        except InvalidReceiver:  # the operator no longer allows its host
            return Answer(error="forbidden_address")
        signers = self._secrets.of(claimed.owner)
        if not signers:
            return Answer(error="no_secret")
        body = self._payloads.of(claimed)
        message_id, now = id_of(claimed.name), datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"paygrade/{RELEASE}",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature_of(signers, message_id, now, body),
        }
        if claimed.traceparent:
            headers["traceparent"] = claimed.traceparent
        return self._post(receiver, headers, body)
