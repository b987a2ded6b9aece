"""cost: what a month and a million predictions cost, for the options of `up` or as the last day has shown."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from botocore.exceptions import NoCredentialsError

from ecs import costs, prices, usage
from ecs.costs import CostPart, TemplateShape
from ecs.deployment import Deployment
from ecs.errors import NEXT_STEP_CREATE, ResourceNotFound
from ecs.options import add_options, app_parameters, base_parameters
from ecs.screen import Screen

HELP = "print what a month and a million predictions cost"
EXAMPLES = """\
  python -m ecs cost
  python -m ecs cost --front api --warm never
  python -m ecs cost --measured
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser)
    parser.add_argument(
        "--measured",
        action="store_true",
        help="also what the last day has cost, by what CloudWatch has measured",
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    base, app = base_parameters(options), app_parameters(options)
    try:
        base, app = deployment.base.parameters() | base, deployment.app.parameters() | app
    except NoCredentialsError:
        if options.measured:
            raise
        screen.print("no AWS credentials were found: these are the costs of a new deployment\n")
    shape = TemplateShape.of(base, app, options.web_count)
    month, million, paused = costs.monthly(shape), costs.per_million(shape), costs.paused(shape)
    screen.print(f"{prices.PRICE_LISTS}; other regions differ\n")
    _show(screen, "a month in which nothing comes", month)
    _show(screen, "a million predictions, posted one by one", million)
    rate = costs.rate_from_which_elasticache_is_cheaper(shape)
    screen.print(f"from {rate:.0f} predictions/s on, --redis elasticache is cheaper than --redis ecs")
    screen.print(f"paused, {costs.total(paused):.2f} USD a month go on")
    result = {"month": _as_json(month), "million": _as_json(million), "paused": round(costs.total(paused), 2)}
    if options.measured:
        result["day"] = _show_day(deployment, screen, shape)
    screen.result(result)
    return 0


def _show(screen: Screen, what: str, parts: Sequence[CostPart]) -> None:
    largest_first = sorted(parts, key=lambda part: -part.usd)
    rows = [(part.name, f"{part.usd:.2f}", part.how) for part in largest_first]
    screen.table((what, "USD", ""), [*rows, ("sum", f"{sum(part.usd for part in parts):.2f}", "")])
    screen.print()


def _show_day(deployment: Deployment, screen: Screen, shape: TemplateShape) -> dict[str, object]:
    """Raises ResourceNotFound if there is nothing to measure."""
    state = deployment.app.state()
    if state is None or state.in_review:
        raise ResourceNotFound(f"the stack {deployment.names.app} does not exist", NEXT_STEP_CREATE)
    measured = usage.MeasuredDeployment(deployment.names, shape, deployment.app.resources())
    day = usage.measure(deployment.aws.client("cloudwatch"), measured, datetime.now(UTC))
    screen.print()
    _show(screen, "the last day, as CloudWatch has measured it", day.parts)
    month = day.usd * usage.DAYS_PER_MONTH
    screen.print(f"{month:.2f} USD a month, if every day is as this one")
    each = day.usd / day.rows * costs.MILLION if day.rows else None
    if each is not None:
        screen.print(f"{day.rows:,.0f} rows were scored: {each:.2f} USD for a million, idle hours included")
    return {"parts": _as_json(day.parts), "rows": round(day.rows), "usd_for_a_million": each}


def _as_json(parts: Sequence[CostPart]) -> dict[str, float]:
    return {part.name: round(part.usd, 4) for part in parts}
