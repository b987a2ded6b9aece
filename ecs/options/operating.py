"""Who is told of what, what is logged, and what the rules of companies ask for."""

import argparse
import math
import re
from collections.abc import Mapping

from ecs.errors import InvalidUsage
from ecs.options.formats import check_format, choice
from ecs.template import Template

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_TOPIC = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+")
_POLICY = re.compile(r"arn:[\w-]+:iam::(\d{12}|aws):policy/\S+")
_PATH = re.compile(r"/([!-~]+/)?")


def add_operating_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--alarm-email", metavar="ADDRESS", help="address that receives alarms")
    group.add_argument("--alarm-topic", metavar="ARN", help="topic of SNS that receives alarms, instead")
    group.add_argument(
        "--budget",
        type=float,
        metavar="USD",
        help="what the account may cost in a month before the receivers of alarms are told; 0 for no limit",
    )
    group.add_argument("--log-days", type=int, metavar="DAYS", help="retention of logs (default: 30)")
    group.add_argument(
        "--production",
        action=argparse.BooleanOptionalAction,
        help="two web tasks, a KMS key, logs of access and flow, backups, protection from removal",
    )
    group.add_argument("--tags", metavar="KEY=VALUE,…", help="tags of every resource")
    group.add_argument("--boundary", metavar="ARN", help="permissions boundary of every role")
    group.add_argument("--role-path", metavar="/PATH/", help="path of every role")


def alarm_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """The parameters of the base. Raises InvalidUsage for values that AWS would refuse."""
    check_format(_EMAIL, "--alarm-email", options.alarm_email, "ada@example.com")
    check_format(_TOPIC, "--alarm-topic", options.alarm_topic, "arn:aws:sns:REGION:ACCOUNT:NAME")
    budget = options.budget
    if budget is not None and not 0 <= budget < math.inf:
        raise InvalidUsage(f"--budget {budget}: a budget is 0 USD or more", "for example --budget 100")
    return {
        "AlarmEmail": options.alarm_email,
        "AlarmTopic": options.alarm_topic,
        "Budget": None if budget is None else f"{budget:g}",
    }


def check_alarms(base: Mapping[str, str], region: str) -> None:
    """Raises InvalidUsage unless the parameters, new and current together, say who is told of what."""
    topic = base["AlarmTopic"]
    if topic and topic.split(":")[3] != region:
        raise InvalidUsage(
            f"--alarm-topic {topic}: the topic is not in {region}, and alarms reach no other region",
            f"choose a topic in {region}, or pass --alarm-email ADDRESS",
        )
    if float(base["Budget"]) and not (topic or base["AlarmEmail"]):
        raise InvalidUsage(
            f"--budget {base['Budget']}: nobody would be told when it is used up",
            "pass --alarm-email ADDRESS or --alarm-topic ARN as well, or --budget 0",
        )


def log_parameters(options: argparse.Namespace) -> dict[str, int | None]:
    """The parameters of the base. Raises InvalidUsage for days that AWS would refuse."""
    days = Template("base").parameters["LogRetentionDays"]["AllowedValues"]
    if options.log_days is not None and options.log_days not in days:
        raise InvalidUsage(
            f"--log-days {options.log_days}: CloudWatch does not offer this retention",
            f"choose one of {', '.join(map(str, days))} days",
        )
    return {"LogRetentionDays": options.log_days}


def role_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """Of both stacks. Raises InvalidUsage for values that AWS would refuse."""
    check_format(_POLICY, "--boundary", options.boundary, "arn:aws:iam::123456789012:policy/boundary")
    check_format(_PATH, "--role-path", options.role_path, "/teams/data/")
    return {
        "PermissionsBoundary": options.boundary,
        "RolePath": options.role_path,
        "Production": choice(options.production, "yes", "no"),
    }
