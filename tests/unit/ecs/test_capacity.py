"""What `up` says that its sizes carry."""

import pytest

from ecs import capacity
from ecs.capacity import rate_of_one_key, redis_mib, sustained_rate
from ecs.errors import InvalidUsage
from ecs.fargate import FARGATE_MEMORY
from ecs.redis_sizes import NODES, redis_parameters
from ecs.template import ParameterizedTemplate
from jobs.settings import Settings
from tests.unit.ecs.templates import shipped

ONE_KEY = {"api_keys": "a:" + "0" * 64}


def app(**parameters: object) -> ParameterizedTemplate:
    return ParameterizedTemplate(shipped().app, {name: str(value) for name, value in parameters.items()})


def test_the_rate_is_what_fills_the_memory_within_the_retention() -> None:
    rate, limit = sustained_rate(app())
    assert limit == capacity.MEMORY
    kept = rate * Settings().retention_seconds * capacity.RECORD_BYTES
    assert kept == pytest.approx(512 * 2**20 * Settings().max_memory_percent / 100)


def test_less_time_and_more_memory_carry_more_until_a_processor_is_the_limit() -> None:
    assert sustained_rate(app(RedisMaxMemory=1024))[0] == pytest.approx(2 * sustained_rate(app())[0])
    assert sustained_rate(app(RetentionSeconds=600))[1] == "the CPU of web"
    assert sustained_rate(app(RetentionSeconds=600, WebCpu=4096))[1] == capacity.MEMORY


def test_the_percents_are_those_of_the_code() -> None:
    keyed = Settings.model_validate(ONE_KEY)
    assert keyed.max_memory_percent == capacity.MAX_MEMORY_PERCENT
    assert keyed.max_memory_percent_per_key == capacity.MAX_MEMORY_PERCENT_PER_KEY


def test_one_key_has_its_share_and_never_more_than_all() -> None:
    assert rate_of_one_key(app()) == pytest.approx(sustained_rate(app())[0] * 25 / 70)
    unlimited = app(MaxMemoryPercentPerKey=0)
    assert rate_of_one_key(unlimited) == sustained_rate(unlimited)[0]


@pytest.mark.parametrize("mib", [256, 512, 1024, 2048, 4096, 15_360])
def test_the_task_has_twice_the_memory_and_the_nodes_at_least_as_much(mib: int) -> None:
    parameters = redis_parameters(mib)
    assert parameters["RedisMemory"] in FARGATE_MEMORY[int(parameters["RedisCpu"])]
    assert int(parameters["RedisMemory"]) == 2 * mib
    assert redis_mib(app(**parameters, Redis="elasticache")) >= mib
    assert redis_mib(app(**parameters)) == mib


@pytest.mark.parametrize("mib", [0, 100, 700, 20_000])
def test_a_memory_that_no_task_has_is_refused(mib: int) -> None:
    with pytest.raises(InvalidUsage, match="choose 256, 512, or a multiple of 512 up to 15360"):
        raise_with_next_step(mib)


def raise_with_next_step(mib: int) -> None:
    try:
        redis_parameters(mib)
    except InvalidUsage as error:
        raise InvalidUsage(error.next_step) from error


def test_nodes_are_in_the_order_of_their_memory() -> None:
    assert sorted(NODES, key=lambda node: node.bytes) == list(NODES)
