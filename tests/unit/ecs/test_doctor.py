"""The vCPUs that an update takes. ministack does not emulate the quota."""

import pytest

from ecs.doctor import vcpus_during_update
from ecs.template import ParameterizedTemplate, Template


@pytest.mark.parametrize(("redis", "vcpus"), [("ecs", 2.75), ("elasticache", 2.5)])
def test_an_update_runs_web_and_worker_twice_and_redis_once(redis: str, vcpus: float) -> None:
    assert vcpus_during_update(ParameterizedTemplate(Template("app").parsed, {"Redis": redis})) == vcpus
