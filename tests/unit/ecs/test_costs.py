"""The figures of `cost` are those of the resources that the templates make, by one table of prices."""

import re
from pathlib import Path

import pytest

from ecs import costs, prices
from ecs.costs import (
    BY_USE,
    FREE,
    METRICS,
    MONTHLY,
    BilledBy,
    TemplateShape,
    monthly,
    paused,
    per_million,
    total,
)
from ecs.redis_sizes import NODES
from tests.unit.ecs.templates import shipped
from web.keeper.report import UNITS

OFFICE = "Mon-Fri 08-18 Europe/Berlin"
WATCHED = {"alarms", "web: metrics"}
SHAPES: list[dict[str, str]] = [
    {},
    {"Front": "api", "Warm": "never"},
    {"Front": "none", "PublicAddresses": "DISABLED", "Spot": "no"},
    {"Front": "listener", "Redis": "elasticache"},
    {"EventsPolicyArn": "arn:aws:iam::123456789012:policy/events"},
    {"Production": "yes", "AlarmEmail": "ada@example.com", "Budget": "100", "CiIssuer": "gitlab.com"},
]


def shape(**parameters: str) -> TemplateShape:
    return TemplateShape.of(parameters, parameters)


def usd(wanted: TemplateShape) -> dict[str, float]:
    return {part.name: part.usd for part in monthly(wanted)}


def test_every_type_of_resource_has_a_price_or_a_reason_to_have_none() -> None:
    types = {
        resource["Type"]
        for template in (shipped().base, shipped().app, shipped().events)
        for resource in template["Resources"].values()
    }
    assert types - (MONTHLY.keys() | BY_USE.keys() | FREE.keys()) == set()
    assert not (MONTHLY.keys() | BY_USE.keys()) & FREE.keys()
    assert all(FREE.values())


@pytest.mark.parametrize("parameters", SHAPES, ids=str)
def test_what_exists_is_priced_and_nothing_else(parameters: dict[str, str]) -> None:
    wanted = shape(**parameters)
    kinds = wanted.resources().keys()
    lines = {kind: list(MONTHLY[kind](wanted, wanted.resources()[kind])) for kind in kinds & MONTHLY.keys()}
    assert sorted(part.name for parts in lines.values() for part in parts) == sorted(usd(wanted))
    assert all(lines[kind] for kind in kinds & MONTHLY.keys() - {"AWS::EFS::FileSystem"})
    assert ("ElastiCache: nodes" in usd(wanted)) == ("AWS::ElastiCache::ReplicationGroup" in kinds)
    assert ("load balancer" in usd(wanted)) == ("AWS::ElasticLoadBalancingV2::LoadBalancer" in kinds)


def test_conditions_decide_what_exists() -> None:
    assert "AWS::EFS::FileSystem" in shape().resources()
    assert "AWS::EFS::FileSystem" not in shape(Redis="elasticache").resources()
    assert "AWS::EC2::FlowLog" not in shape(Production="yes", ExistingVpc="vpc-1").resources()
    assert "AWS::EC2::FlowLog" in shape(Production="yes").resources()
    assert shape(AlarmEmail="a@b.c", Budget="9").resources()["AWS::Budgets::Budget"] == ["MonthlyBudget"]


def test_a_deployment_that_sleeps_costs_30_with_https_and_a_stable_address_and_5_paused() -> None:
    """Alarms and metrics have a price of their own; of each, the first ten of an account are free."""
    sleeping = shape(Front="api", Warm="never")
    assert sum(each for name, each in usd(sleeping).items() if name not in WATCHED) <= 30
    assert total(paused(sleeping)) <= 5
    alarms = len(sleeping.resources()["AWS::CloudWatch::Alarm"])
    assert usd(sleeping)["alarms"] == pytest.approx(alarms * 0.10)


def test_what_is_asked_for_more_has_a_line_of_its_own() -> None:
    production = usd(shape(Production="yes"))
    assert production["key of KMS"] >= 1
    assert production["web: tasks"] == 2 * usd(shape())["web: tasks"]
    assert {"logs of connections", "logs of requests", "EFS: backups"} <= production.keys()
    private = usd(shape(PublicAddresses="DISABLED", Scheme="internal"))
    assert "the way out of the VPC" in private
    assert not [name for name in private if name.endswith("addresses")]


def test_sleeping_workers_cost_nothing_and_office_hours_a_third() -> None:
    always, never, office = (usd(shape(Warm=warm))["worker: tasks"] for warm in ("always", "never", OFFICE))
    assert never == 0
    assert office / always == pytest.approx(50 / 168)


def test_tasks_are_billed_by_their_size_and_architecture() -> None:
    larger = usd(shape(WorkerCpu="1024", WorkerMemory="2048"))["worker: tasks"]
    assert larger == pytest.approx(730 * (0.04048 + 2 * 0.004445))
    arm = usd(shape(Architecture="ARM64"))["web: tasks"]
    assert arm / usd(shape())["web: tasks"] == pytest.approx(0.8, abs=0.001)


def test_elasticache_is_cheaper_from_the_rate_whose_writes_cost_the_difference() -> None:
    own, managed = shape(), shape(Redis="elasticache")
    millions = costs.rate_from_which_elasticache_is_cheaper(own) * prices.SECONDS_PER_MONTH / 1e6
    by_month = [total(monthly(each)) + millions * total(per_million(each)) for each in (own, managed)]
    assert by_month[0] == pytest.approx(by_month[1])
    assert costs.rate_from_which_elasticache_is_cheaper(managed) == pytest.approx(
        costs.rate_from_which_elasticache_is_cheaper(own)
    )


def test_what_a_pause_leaves_is_what_no_task_and_no_web_cost() -> None:
    kinds = {part.kind for part in monthly(shape())}
    assert kinds == set(BilledBy)
    assert {part.kind for part in paused(shape())} == {BilledBy.STANDING}


def test_every_metric_that_web_reports_is_counted() -> None:
    assert len(UNITS) == METRICS


def test_every_node_has_a_price_which_rises_with_its_memory() -> None:
    known = [prices.NODES[node.type].usd for node in NODES]
    assert known == sorted(known)


def test_every_price_says_where_it_is_published_and_no_other_module_knows_one() -> None:
    known = [value for value in vars(prices).values() if isinstance(value, prices.Price)]
    assert len(known) > 20
    assert all(re.fullmatch(r"aws\.amazon\.com/[\w/-]+", price.page) for price in known)
    for file in Path("ecs").rglob("*.py"):
        if file.name != "prices.py":
            assert "0.04048" not in file.read_text(), file
