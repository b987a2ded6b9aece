"""How much of Fargate a deployment takes; the quota itself ministack does not know."""

import pytest

from ecs.doctor import vcpus_of_an_update
from ecs.invariants import Given
from ecs.template import Template


@pytest.mark.parametrize(("redis", "vcpus"), [("ecs", 2.75), ("elasticache", 2.5)])
def test_an_update_doubles_what_runs_on_fargate_but_redis(redis: str, vcpus: float) -> None:
    assert vcpus_of_an_update(Given(Template("app").parsed, {"Redis": redis})) == vcpus
