"""The options of a deployment, and the stack parameters that they set."""

import argparse

from ecs.keeping import add_keeping_options, keeping_parameters
from ecs.options.ci import add_ci_options, ci_parameters
from ecs.options.events import add_events_option
from ecs.options.formats import check_tag
from ecs.options.front import add_front_options, front_parameters
from ecs.options.networks import add_network_options, address_parameters, network_parameters
from ecs.options.operating import (
    add_operating_options,
    alarm_parameters,
    log_parameters,
    role_parameters,
)
from ecs.options.sizes import add_size_options, files_days, size_parameters


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `plan`, `up` and `doctor`. An option that is not given keeps its current value."""
    group = parser.add_argument_group("the deployment (an option that is not given keeps its current value)")
    group.add_argument("--tag", help="image tag (default for a new deployment: the commit's)")
    add_front_options(group)
    add_network_options(group)
    add_size_options(group)
    add_keeping_options(group)
    add_events_option(group)
    add_operating_options(group)
    add_ci_options(group)


def base_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises InvalidUsage for values that AWS would refuse."""
    parameters = {
        "Name": options.stack,
        "FilesDays": files_days(options),
        **ci_parameters(options),
        **network_parameters(options),
        **alarm_parameters(options),
        **log_parameters(options),
        **role_parameters(options),
    }
    return _given(parameters)


def app_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises InvalidUsage for values that AWS would refuse."""
    parameters = {
        "Name": options.stack,
        "ImageTag": check_tag(options.tag),
        **front_parameters(options),
        **address_parameters(options),
        **keeping_parameters(options),
        **size_parameters(options),
        **role_parameters(options),
    }
    return _given(parameters)


def _given(parameters: dict[str, str | int | None]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items() if value is not None}
