"""The options of a deployment, and the stack parameters that they set."""

import argparse
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

from ecs.errors import InvalidUsage
from ecs.keeping import add_keeping_options, keeping_parameters
from ecs.template import Template

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_SIZE = re.compile(r"(\d+)/(\d+)")
_CERTIFICATE = re.compile(r"arn:[\w-]+:acm:[\w-]+:\d{12}:certificate/\S+")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_TOPIC = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+")
_GITLAB = re.compile(r"[\w.-]+(/[\w.-]+)+")
_GITHUB = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
FARGATE_MEMORY: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""The memory sizes in MiB that Fargate offers, by CPU units."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `plan`, `up` and `doctor`. An option that is not given keeps its current value."""
    group = parser.add_argument_group("the deployment (an option that is not given keeps its current value)")
    group.add_argument("--tag", help="image tag (default for a new deployment: the commit's)")
    group.add_argument(
        "--alb",
        action=argparse.BooleanOptionalAction,
        help="a load balancer, which gives web an address that does not change",
    )
    group.add_argument("--certificate", metavar="ARN", help="ACM certificate for HTTPS at the load balancer")
    group.add_argument(
        "--domain", metavar="NAME", help="domain name of the certificate; see docs/guides/ecs.md"
    )
    group.add_argument("--allow-cidr", metavar="CIDR", help="network that can reach web (default: 0.0.0.0/0)")
    group.add_argument(
        "--zones",
        metavar="ZONE,ZONE",
        help="availability zones, fixed once created (default: the region's first two with Fargate)",
    )
    group.add_argument(
        "--redis", choices=["ecs", "elasticache"], help="Redis as a task (ecs, the default) or in ElastiCache"
    )
    group.add_argument("--web-size", metavar="CPU/MIB", help="size of a web task (default: 256/512)")
    group.add_argument("--worker-size", metavar="CPU/MIB", help="size of a worker task (default: 256/1024)")
    add_keeping_options(group)
    _add_operating_options(group)


def _add_operating_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--alarm-email", metavar="ADDRESS", help="address that receives alarms")
    group.add_argument("--alarm-topic", metavar="ARN", help="topic of SNS that receives alarms, instead")
    group.add_argument("--log-days", type=int, metavar="DAYS", help="retention of logs (default: 30)")
    group.add_argument(
        "--gitlab", metavar="GROUP/PROJECT", help="GitLab project whose main branch may deploy"
    )
    group.add_argument(
        "--github",
        metavar="OWNER/NAME",
        help="GitHub repository whose main branch may deploy; if it is new, OWNER@ID/NAME@ID: "
        "see docs/guides/ecs.md",
    )


def base_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises InvalidUsage for values that AWS would refuse."""
    _check_format(_GITLAB, "--gitlab", options.gitlab, "group/project")
    _check_format(_GITHUB, "--github", options.github, "owner/name or owner@123/name@456")
    days = Template("base").parameters["LogRetentionDays"]["AllowedValues"]
    if options.log_days is not None and options.log_days not in days:
        raise InvalidUsage(
            f"--log-days {options.log_days}: CloudWatch does not offer this retention",
            f"choose one of {', '.join(map(str, days))} days",
        )
    parameters = {
        "Name": options.stack,
        "LogRetentionDays": options.log_days,
        "GitLabProject": options.gitlab,
        "GitHubRepository": options.github,
    }
    return {name: str(value) for name, value in parameters.items() if value is not None}


def app_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises InvalidUsage for values that AWS would refuse."""
    web_cpu, web_memory = _size(options.web_size, "--web-size")
    worker_cpu, worker_memory = _size(options.worker_size, "--worker-size")
    minimum = Template("app").parameters["WorkerMemory"]["MinValue"]
    if worker_memory and int(worker_memory) < minimum:
        raise InvalidUsage(
            f"--worker-size {options.worker_size}: too little memory for the processes of a worker",
            f"choose at least {minimum} MiB",
        )
    _check_format(
        _CERTIFICATE, "--certificate", options.certificate, "arn:aws:acm:REGION:ACCOUNT:certificate/ID"
    )
    _check_format(_DOMAIN, "--domain", options.domain, "pay.example.com")
    _check_format(_EMAIL, "--alarm-email", options.alarm_email, "ada@example.com")
    _check_format(_TOPIC, "--alarm-topic", options.alarm_topic, "arn:aws:sns:REGION:ACCOUNT:NAME")
    parameters = {
        "Name": options.stack,
        "ImageTag": check_tag(options.tag),
        "LoadBalancing": None if options.alb is None else "yes" if options.alb else "no",
        "CertificateArn": options.certificate,
        "Domain": options.domain,
        "AllowCidr": _network(options.allow_cidr),
        "Redis": options.redis,
        "WebCpu": web_cpu,
        "WebMemory": web_memory,
        "WorkerCpu": worker_cpu,
        "WorkerMemory": worker_memory,
        "AlarmEmail": options.alarm_email,
        "AlarmTopicArn": options.alarm_topic,
        **keeping_parameters(options),
    }
    return {name: str(value) for name, value in parameters.items() if value is not None}


def check_https(parameters: Mapping[str, str], region: str) -> None:
    """Raises InvalidUsage unless the parameters, new and current together, give working HTTPS or none."""
    certificate, domain = parameters.get("CertificateArn"), parameters.get("Domain")
    if bool(certificate) != bool(domain):
        raise InvalidUsage(
            "--certificate and --domain need each other: callers check that the domain is the certificate's",
            'pass both, or --certificate "" --domain "" for neither',
        )
    if certificate and parameters.get("LoadBalancing") == "no":
        raise InvalidUsage(
            "--certificate needs the load balancer, which --no-alb removes",
            'pass --alb, or --certificate "" --domain ""',
        )
    if certificate and certificate.split(":")[3] != region:
        raise InvalidUsage(
            f"--certificate {certificate}: the certificate is not in {region}, where the load balancer is",
            f"request a certificate in {region} from ACM",
        )


def check_tag(tag: str | None) -> str | None:
    """Returns the tag. Raises InvalidUsage if no image can have it."""
    if tag is not None and not _TAG.fullmatch(tag):
        raise InvalidUsage(
            f"--tag {tag!r} is not a valid image tag: use at most 128 letters, digits, '.', '_' and '-', "
            "starting with a letter, a digit or '_'",
            "for example --tag 1.4.0",
        )
    return tag


def _check_format(pattern: re.Pattern[str], option: str, value: str | None, example: str) -> None:
    """Accepts the empty text, which removes the current value."""
    if value and not pattern.fullmatch(value):
        raise InvalidUsage(f"{option} {value} is not valid", f"for example {option} {example}")


def _network(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return str(IPv4Network(value))
    except ValueError as error:
        raise InvalidUsage(f"--allow-cidr {value}: {error}", "for example 203.0.113.0/24") from None


def _size(value: str | None, option: str) -> tuple[str | None, str | None]:
    """The CPU units and MiB of a size such as 1024/2048."""
    if value is None:
        return None, None
    match = _SIZE.fullmatch(value)
    cpu, memory = (int(match[1]), int(match[2])) if match else (0, 0)
    if cpu not in FARGATE_MEMORY:
        raise InvalidUsage(
            f"{option} {value}: the format is CPU/MIB, for example 1024/2048",
            f"choose the CPU units from {', '.join(map(str, FARGATE_MEMORY))}",
        )
    sizes = FARGATE_MEMORY[cpu]
    if memory not in sizes:
        raise InvalidUsage(
            f"{option} {value}: Fargate does not offer {memory} MiB with {cpu} CPU units",
            f"choose {_describe(sizes)} MiB",
        )
    return str(cpu), str(memory)


def _describe(sizes: Sequence[int]) -> str:
    if isinstance(sizes, range):
        return f"{sizes[0]} to {sizes[-1]} in steps of {sizes.step}"
    return " or ".join(map(str, sizes))
