"""The options of a deployment, and the stack parameters that they set."""

import argparse
import re
from collections.abc import Mapping
from ipaddress import IPv4Network

from ecs.bundles import bundle_parameters
from ecs.durations import parse_duration
from ecs.errors import InvalidUsage
from ecs.fargate import parse_size
from ecs.redis_sizes import redis_parameters
from ecs.settings import setting_parameters
from ecs.template import Template

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_CERTIFICATE = re.compile(r"arn:[\w-]+:acm:[\w-]+:\d{12}:certificate/\S+")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_GITLAB = re.compile(r"[\w.-]+(/[\w.-]+)+")
_GITHUB = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
_POLICY = re.compile(r"arn:[\w-]+:iam::(\d{12}|aws):policy/\S+")
_PATH = re.compile(r"/([!-~]+/)?")
_BRANCH = re.compile(r"[\w./-]+")
_SECONDS_PER_DAY = 86_400
_DAYS_BEHIND_RETENTION = 30
MAX_TASKS = 5_000
"""Of an ECS service."""


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
    group.add_argument(
        "--spot",
        type=int,
        metavar="PERCENT",
        help="share of workers on Spot, not counting the first (default: 80)",
    )
    _add_size_options(group)
    _add_operating_options(group)


def _add_size_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--web-size", metavar="CPU/MIB", help="size of a web task (default: 256/512)")
    group.add_argument("--web-count", type=int, metavar="N", help="number of web tasks (default: 1)")
    group.add_argument("--worker-size", metavar="CPU/MIB", help="size of a worker task (default: 1024/2048)")
    group.add_argument(
        "--redis-memory", type=int, metavar="MIB", help="memory of Redis for jobs (default: 512)"
    )
    group.add_argument(
        "--retention", metavar="TIME", help="how long a job is kept after its end, as 10m or 6h (default: 6h)"
    )
    group.add_argument(
        "--bundles",
        metavar="s3://BUCKET/PREFIX",
        help="the bundles to serve; image for those of the image (the default)",
    )
    group.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of .env.example; NAME= sets its default again; can be repeated",
    )


def _add_operating_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--alarm-email", metavar="ADDRESS", help="address that receives alarms")
    group.add_argument("--log-days", type=int, metavar="DAYS", help="retention of logs (default: 30)")
    _add_rights_options(group)


def _add_rights_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--tags", metavar="KEY=VALUE,…", help="tags of every resource")
    group.add_argument("--boundary", metavar="ARN", help="permissions boundary of every role")
    group.add_argument("--role-path", metavar="/PATH/", help="path of every role, fixed once created")
    group.add_argument("--gitlab", metavar="GROUP/PROJECT", help="GitLab project that may deploy")
    group.add_argument(
        "--github",
        metavar="OWNER/NAME",
        help="GitHub repository that may deploy; if it is new, OWNER@ID/NAME@ID: see docs/guides/ecs.md",
    )
    group.add_argument("--ci-branch", metavar="BRANCH", help="branch that may deploy (default: main)")
    group.add_argument(
        "--ci-environment", metavar="NAME", help="environment of GitHub that may deploy, instead of a branch"
    )


def base_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises InvalidUsage for values that AWS would refuse."""
    _check_format(_GITLAB, "--gitlab", options.gitlab, "group/project")
    _check_format(_GITHUB, "--github", options.github, "owner/name or owner@123/name@456")
    _check_format(_BRANCH, "--ci-branch", options.ci_branch, "main")
    days = Template("base").parameters["LogRetentionDays"]["AllowedValues"]
    if options.log_days is not None and options.log_days not in days:
        raise InvalidUsage(
            f"--log-days {options.log_days}: CloudWatch does not offer this retention",
            f"choose one of {', '.join(map(str, days))} days",
        )
    parameters = {
        "Name": options.stack,
        "LogRetentionDays": options.log_days,
        "FilesDays": _files_days(_retention(options.retention)),
        "GitLabProject": options.gitlab,
        "GitHubRepository": options.github,
        "CiBranch": options.ci_branch,
        "CiEnvironment": options.ci_environment,
        **_role_parameters(options),
    }
    return {name: str(value) for name, value in parameters.items() if value is not None}


def app_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises InvalidUsage for values that AWS would refuse."""
    web_cpu, web_memory = parse_size(options.web_size, "--web-size")
    worker_cpu, worker_memory = parse_size(options.worker_size, "--worker-size")
    minimum = Template("app").parameters["WorkerMemory"]["MinValue"]
    if worker_memory and int(worker_memory) < minimum:
        raise InvalidUsage(
            f"--worker-size {options.worker_size}: too little memory for the processes of a worker",
            f"choose at least {minimum} MiB",
        )
    if options.spot is not None and not 0 <= options.spot <= 100:
        raise InvalidUsage(
            f"--spot {options.spot}: the percentage must be from 0 to 100", "for example --spot 80"
        )
    _check_format(
        _CERTIFICATE, "--certificate", options.certificate, "arn:aws:acm:REGION:ACCOUNT:certificate/ID"
    )
    _check_format(_DOMAIN, "--domain", options.domain, "pay.example.com")
    _check_format(_EMAIL, "--alarm-email", options.alarm_email, "ada@example.com")
    _check_count(options.web_count)
    parameters = {
        "Name": options.stack,
        "ImageTag": check_tag(options.tag),
        "LoadBalancing": None if options.alb is None else "yes" if options.alb else "no",
        "CertificateArn": options.certificate,
        "Domain": options.domain,
        "AllowCidr": _network(options.allow_cidr),
        "Redis": options.redis,
        "SpotWeight": options.spot,
        "OnDemandWeight": None if options.spot is None else 100 - options.spot,
        "WebCpu": web_cpu,
        "WebMemory": web_memory,
        "WorkerCpu": worker_cpu,
        "WorkerMemory": worker_memory,
        "AlarmEmail": options.alarm_email,
        "RetentionSeconds": _retention(options.retention),
        **_role_parameters(options),
        **redis_parameters(options.redis_memory),
        **bundle_parameters(options.bundles),
        **setting_parameters(options.settings),
    }
    return {name: str(value) for name, value in parameters.items() if value is not None}


def _role_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    _check_format(_POLICY, "--boundary", options.boundary, "arn:aws:iam::123456789012:policy/boundary")
    _check_format(_PATH, "--role-path", options.role_path, "/teams/data/")
    return {"PermissionsBoundary": options.boundary, "RolePath": options.role_path}


def _retention(value: str | None) -> int | None:
    if value is None:
        return None
    seconds = parse_duration(value, "--retention")
    minimum = Template("app").parameters["RetentionSeconds"]["MinValue"]
    if seconds < minimum:
        raise InvalidUsage(f"--retention {value}: a job is kept for {minimum} s at least", "--retention 10m")
    return seconds


def _files_days(retention: int | None) -> int | None:
    """When S3 deletes a file of a batch that no worker has deleted."""
    return None if retention is None else -(-retention // _SECONDS_PER_DAY) + _DAYS_BEHIND_RETENTION


def _check_count(count: int | None) -> None:
    if count is not None and not 1 <= count <= MAX_TASKS:
        raise InvalidUsage(
            f"--web-count {count}: web has 1 to {MAX_TASKS} tasks", "for example --web-count 2"
        )


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
