"""A job ends and its webhook is written in one step; one process at a time sends it, at least once."""

from collections.abc import Callable

import pytest
from redis import Redis

from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.record import NewPrediction
from jobs.predictions.store import PredictionStore
from jobs.webhooks.delivery import ClaimedDelivery, DeliveryStatus
from jobs.webhooks.outbox import LANE_AT_ONCE, LEASE_MS, OWNER_AT_ONCE, WebhookOutbox
from tests.unit.conftest import MANY, Clock, job, scored

URL = "https://hooks.example.com/paygrade"
DAY = 86_400
End = Callable[..., NewPrediction]


@pytest.fixture
def outbox(redis: Redis) -> WebhookOutbox:
    return WebhookOutbox(redis)


@pytest.fixture
def end(store: PredictionStore, consumer: PredictionConsumer) -> End:
    """Adds a prediction with a webhook, and scores it."""

    def end(owner: str = "ada", host: str = "hooks.example.com") -> NewPrediction:
        added = job(owner=owner)
        added.webhook = f"{owner}|{host}:443 https://{host}/paygrade"
        store.add([added])
        consumer.record([scored(claim) for claim in consumer.claim("child", "wake_up", MANY)])
        return added

    return end


def claim(outbox: WebhookOutbox, **sending: int) -> list[str]:
    return [each.job_id for each in outbox.claim(100, sending)]


def claim_one(outbox: WebhookOutbox) -> ClaimedDelivery:
    [claimed] = outbox.claim(100, {})
    return claimed


@pytest.mark.parametrize(
    ("field", "value"), [("tries", "many"), ("created", "soon"), ("url", None), ("event", None)]
)
def test_a_delivery_that_cannot_be_read_is_given_up_alone(
    redis: Redis, outbox: WebhookOutbox, end: End, field: str, value: str | None
) -> None:
    bad, good = end(host="bad.example.com"), end()
    key = f"delivery:{bad.id}"
    redis.hset(key, field, value) if value else redis.hdel(key, field)
    assert claim(outbox) == [good.id]
    assert not redis.exists(key)
    assert outbox.pending().number == 1


def test_a_job_with_a_webhook_is_in_the_outbox_once_it_has_ended(
    store: PredictionStore, consumer: PredictionConsumer, outbox: WebhookOutbox
) -> None:
    added = job()
    added.webhook = f"ada|hooks.example.com:443 {URL}"
    store.add([added])
    assert claim(outbox) == []
    consumer.record([scored(each) for each in consumer.claim("child", "wake_up", MANY)])
    claimed = claim_one(outbox)
    assert (claimed.job_id, claimed.url, claimed.type, claimed.tries, claimed.owner) == (
        added.id, URL, "prediction.succeeded", 1, "ada",
    )  # fmt: skip


def test_a_job_without_a_webhook_leaves_nothing_behind(
    store: PredictionStore, consumer: PredictionConsumer, outbox: WebhookOutbox, redis: Redis
) -> None:
    store.add([job()])
    consumer.record([scored(each) for each in consumer.claim("child", "wake_up", MANY)])
    assert claim(outbox) == []
    assert redis.keys("webhooks*") == redis.keys("delivery:*") == []


def test_canceling_a_job_is_an_end_too(store: PredictionStore, outbox: WebhookOutbox) -> None:
    added = job()
    added.webhook = f"ada|hooks.example.com:443 {URL}"
    store.add([added])
    store.cancel(added.id)
    assert claim_one(outbox).type == "prediction.canceled"


def test_a_claimed_delivery_is_claimed_again_only_after_its_lease(
    end: End, outbox: WebhookOutbox, clock: Clock
) -> None:
    ended = end()
    first = claim_one(outbox)
    assert claim(outbox) == []
    clock.forward(LEASE_MS / 1000 + 1)
    second = claim_one(outbox)
    assert (first.job_id, second.job_id, second.tries) == (ended.id, ended.id, 2)
    assert not outbox.record(first, DeliveryStatus.DELIVERED, b"{}")
    assert outbox.record(second, DeliveryStatus.DELIVERED, b"{}")


def test_a_delivered_webhook_is_not_sent_again(end: End, outbox: WebhookOutbox, clock: Clock) -> None:
    ended = end()
    assert outbox.record(claim_one(outbox), DeliveryStatus.DELIVERED, b'{"status":200}')
    clock.forward(DAY)
    assert claim(outbox) == []
    delivery = outbox.read(ended.id)
    assert delivery
    assert (delivery.status, list(delivery.attempts)) == ("delivered", [b'{"status":200}'])


def test_a_failed_attempt_is_repeated_when_its_time_has_come(
    end: End, outbox: WebhookOutbox, clock: Clock
) -> None:
    ended = end()
    outbox.record(claim_one(outbox), DeliveryStatus.PENDING, b'{"status":500}', next_ms=5_000)
    assert claim(outbox) == []
    clock.forward(5.1)
    assert claim(outbox) == [ended.id]


def test_a_receiver_that_asks_for_a_rest_gets_nothing_meanwhile(
    end: End, outbox: WebhookOutbox, clock: Clock
) -> None:
    end()
    outbox.record(claim_one(outbox), DeliveryStatus.PENDING, b"{}", next_ms=60_000, hold_ms=30_000)
    second, other = end(), end(host="other.example.com")
    assert claim(outbox) == [other.id]
    clock.forward(31)
    assert claim(outbox) == [second.id]


def test_a_receiver_gets_a_few_deliveries_at_a_time_and_others_get_theirs(
    end: End, outbox: WebhookOutbox
) -> None:
    for _ in range(3):
        end()
    other = end(host="other.example.com")
    busy = {"ada|hooks.example.com:443": LANE_AT_ONCE}
    assert [each.job_id for each in outbox.claim(100, busy)] == [other.id]


def test_an_owner_with_many_receivers_leaves_room_for_others(end: End, outbox: WebhookOutbox) -> None:
    for number in range(OWNER_AT_ONCE + 5):
        end(host=f"slow{number}.example.com")
    bob = end(owner="bob")
    claimed = outbox.claim(1_000, {})
    assert len(claimed) == OWNER_AT_ONCE + 1
    assert bob.id in [each.job_id for each in claimed]


def test_deleting_a_job_deletes_its_delivery(
    end: End, outbox: WebhookOutbox, store: PredictionStore, redis: Redis
) -> None:
    ended = end()
    store.delete(ended.id)
    assert claim(outbox) == []
    assert outbox.read(ended.id) is None
    assert redis.keys("delivery:*") == []
    assert outbox.pending().number == 0


def test_a_delivery_is_sent_again_on_request(end: End, outbox: WebhookOutbox, clock: Clock) -> None:
    ended = end()
    outbox.record(claim_one(outbox), DeliveryStatus.GIVEN_UP, b'{"status":410}')
    assert outbox.redeliver(ended.id)
    again = claim_one(outbox)
    assert (again.job_id, again.tries) == (ended.id, 1)
    outbox.record(again, DeliveryStatus.DELIVERED, b'{"status":200}')
    delivery = outbox.read(ended.id)
    assert delivery
    assert list(delivery.attempts) == [b'{"status":410}', b'{"status":200}']


def test_a_job_without_a_webhook_has_nothing_to_send_again(outbox: WebhookOutbox) -> None:
    assert not outbox.redeliver(job().id)
    assert outbox.read(job().id) is None


def test_the_age_of_the_oldest_delivery_is_known(end: End, outbox: WebhookOutbox, clock: Clock) -> None:
    assert outbox.pending().number == 0
    end()
    clock.forward(10)
    end()
    assert outbox.pending().number == 2
    assert outbox.pending().oldest_seconds == pytest.approx(10, abs=1)
