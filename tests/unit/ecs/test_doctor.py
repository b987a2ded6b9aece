"""The vCPUs that an update takes. ministack does not emulate the quota."""

import pytest

from ecs.doctor import vcpus_during_update
from ecs.template import ParameterizedTemplate, Template


@pytest.mark.parametrize(("redis", "vcpus"), [("ecs", 5.75), ("elasticache", 5.5)])
def test_the_quota_covers_the_most_workers_and_an_update_of_web(redis: str, vcpus: float) -> None:
    assert vcpus_during_update(ParameterizedTemplate(Template("app").parsed, {"Redis": redis})) == vcpus
