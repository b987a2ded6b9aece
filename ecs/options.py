"""The options of a deployment, and the stack parameters that they set."""

import argparse
import re
from collections.abc import Mapping
from ipaddress import ip_network

from ecs.bundles import bundle_parameters
from ecs.durations import parse_duration
from ecs.errors import InvalidUsage
from ecs.fargate import parse_size
from ecs.keeping import add_keeping_options, keeping_parameters
from ecs.redis_sizes import redis_parameters
from ecs.settings import setting_parameters
from ecs.template import Template

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_CERTIFICATE = re.compile(r"arn:[\w-]+:acm:[\w-]+:\d{12}:certificate/\S+")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_TOPIC = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+")
_GITLAB = re.compile(r"[\w.-]+(/[\w.-]+)+")
_GITHUB = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
_VPC = re.compile(r"vpc-[0-9a-f]{8,17}")
_SUBNETS = re.compile(r"subnet-[0-9a-f]{8,17},subnet-[0-9a-f]{8,17}")
_LISTENER = re.compile(r"arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:listener/app/\S+")
NO_NETWORK = "none"
MOST_IPV4, MOST_IPV6 = 8, 4
"""As many conditions as the base template has."""
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
        "--front",
        choices=["alb", "api", "none"],
        help="in front of web: a load balancer (alb, the default), an HTTP API with HTTPS (api), or nothing",
    )
    group.add_argument("--certificate", metavar="ARN", help="ACM certificate for HTTPS at the load balancer")
    group.add_argument(
        "--domain",
        metavar="NAME",
        help="domain name of the certificate, or of the requests that --listener sends to web",
    )
    _add_network_options(group)
    group.add_argument(
        "--redis", choices=["ecs", "elasticache"], help="Redis as a task (ecs, the default) or in ElastiCache"
    )
    _add_size_options(group)
    add_keeping_options(group)
    _add_operating_options(group)


def _add_network_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--allow-cidr",
        metavar="CIDR,…",
        help=f"networks that can reach web, up to {MOST_IPV4} of IPv4 and {MOST_IPV6} of IPv6 (default: all)",
    )
    group.add_argument(
        "--zones",
        metavar="ZONE,ZONE",
        help="availability zones, fixed once created (default: the region's first two with Fargate)",
    )
    group.add_argument("--vpc", metavar="ID", help="an existing VPC, fixed once created (default: a new one)")
    group.add_argument("--subnets", metavar="ID,ID", help="two subnets of --vpc for the tasks")
    group.add_argument(
        "--balancer-subnets", metavar="ID,ID", help="two for the load balancer (default: those of the tasks)"
    )
    group.add_argument(
        "--private",
        action=argparse.BooleanOptionalAction,
        help="tasks without public addresses, in subnets of --vpc that have NAT or endpoints",
    )
    group.add_argument(
        "--internal", action=argparse.BooleanOptionalAction, help="a load balancer for the VPC alone"
    )
    group.add_argument(
        "--listener", metavar="ARN", help="a listener of an existing load balancer, instead of one's own"
    )


def _add_size_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--web-size", metavar="CPU/MIB", help="size of a web task (default: 256/512)")
    group.add_argument("--web-count", type=int, metavar="N", help="number of web tasks (default: 1)")
    group.add_argument("--worker-size", metavar="CPU/MIB", help="size of a worker task (default: 256/1024)")
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
    group.add_argument("--alarm-topic", metavar="ARN", help="topic of SNS that receives alarms, instead")
    group.add_argument("--log-days", type=int, metavar="DAYS", help="retention of logs (default: 30)")
    _add_rights_options(group)


def _add_rights_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--production",
        action=argparse.BooleanOptionalAction,
        help="two web tasks, a key of one's own, logs of access and flow, backups, protection from removal",
    )
    group.add_argument("--tags", metavar="KEY=VALUE,…", help="tags of every resource")
    group.add_argument("--boundary", metavar="ARN", help="permissions boundary of every role")
    group.add_argument("--role-path", metavar="/PATH/", help="path of every role")
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
    _check_network_formats(options)
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
        **_common_parameters(options),
        **_callers(options.allow_cidr),
        "ExistingVpc": options.vpc,
        "ExistingSubnets": options.subnets,
        "ExistingBalancerSubnets": options.balancer_subnets or options.subnets,
    }
    return {name: str(value) for name, value in parameters.items() if value is not None}


def app_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises InvalidUsage for values that AWS would refuse."""
    _check_format(_EMAIL, "--alarm-email", options.alarm_email, "ada@example.com")
    _check_format(_TOPIC, "--alarm-topic", options.alarm_topic, "arn:aws:sns:REGION:ACCOUNT:NAME")
    _check_count(options.web_count)
    parameters = {
        "Name": options.stack,
        "ImageTag": check_tag(options.tag),
        "Redis": options.redis,
        "AlarmEmail": options.alarm_email,
        "AlarmTopicArn": options.alarm_topic,
        "RetentionSeconds": _retention(options.retention),
        **_front_parameters(options),
        **_task_parameters(options),
        **_common_parameters(options),
        **redis_parameters(options.redis_memory),
        **bundle_parameters(options.bundles),
        **setting_parameters(options.settings),
    }
    return {name: str(value) for name, value in parameters.items() if value is not None}


def _front_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """What is in front of web, and who can reach the tasks."""
    _check_format(
        _CERTIFICATE, "--certificate", options.certificate, "arn:aws:acm:REGION:ACCOUNT:certificate/ID"
    )
    _check_format(_DOMAIN, "--domain", options.domain, "pay.example.com")
    return {
        "Front": _front(options),
        "Scheme": _choice(options.internal, "internal", "internet-facing"),
        "ListenerArn": options.listener or None,
        "PublicAddresses": _choice(options.private, "DISABLED", "ENABLED"),
        "CertificateArn": options.certificate,
        "Domain": options.domain,
    }


def _task_parameters(options: argparse.Namespace) -> dict[str, str | int | None]:
    """The sizes of tasks, and how many workers there are."""
    web_cpu, web_memory = parse_size(options.web_size, "--web-size")
    worker_cpu, worker_memory = parse_size(options.worker_size, "--worker-size")
    minimum = Template("app").parameters["WorkerMemory"]["MinValue"]
    if worker_memory and int(worker_memory) < minimum:
        raise InvalidUsage(
            f"--worker-size {options.worker_size}: too little memory for the processes of a worker",
            f"choose at least {minimum} MiB",
        )
    return {
        **keeping_parameters(options),
        "WebCpu": web_cpu,
        "WebMemory": web_memory,
        "WorkerCpu": worker_cpu,
        "WorkerMemory": worker_memory,
    }


def _choice(chosen: bool | None, yes: str, no: str) -> str | None:
    """None keeps the current value."""
    return None if chosen is None else yes if chosen else no


def _common_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    _check_format(_POLICY, "--boundary", options.boundary, "arn:aws:iam::123456789012:policy/boundary")
    _check_format(_PATH, "--role-path", options.role_path, "/teams/data/")
    return {
        "PermissionsBoundary": options.boundary,
        "RolePath": options.role_path,
        "Production": _choice(options.production, "yes", "no"),
    }


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
    front = parameters.get("Front", "alb")
    if front == "listener":
        _check_listener(certificate, domain)
        return
    if bool(certificate) != bool(domain):
        raise InvalidUsage(
            "--certificate and --domain need each other: callers check that the domain is the certificate's",
            'pass both, or --certificate "" --domain "" for neither',
        )
    if certificate and front != "alb":
        raise InvalidUsage(
            f"--certificate needs the load balancer, and this is --front {front}",
            'pass --front alb, or --certificate "" --domain ""',
        )
    if certificate and certificate.split(":")[3] != region:
        raise InvalidUsage(
            f"--certificate {certificate}: the certificate is not in {region}, where the load balancer is",
            f"request a certificate in {region} from ACM",
        )


def check_callers(app: Mapping[str, str], base: Mapping[str, str]) -> None:
    """Raises InvalidUsage for networks that an HTTP API could not tell from others."""
    networks = {*base["AllowCidrs"].split(","), *base["AllowCidrs6"].split(",")} - {NO_NETWORK}
    if app.get("Front") == "api" and networks != {"0.0.0.0/0", "::/0"}:
        raise InvalidUsage(
            "--front api: an HTTP API is open to all networks, and keys alone protect it",
            "pass --front alb, or --allow-cidr 0.0.0.0/0,::/0",
        )


def _check_listener(certificate: str | None, domain: str | None) -> None:
    if certificate:
        raise InvalidUsage(
            "--listener has its own certificate, and --certificate is for a load balancer of our own",
            'pass --certificate ""',
        )
    if not domain:
        raise InvalidUsage(
            "--listener needs --domain: the name whose requests it sends to web",
            "pass --domain pay.example.com",
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


def _check_network_formats(options: argparse.Namespace) -> None:
    _check_format(_VPC, "--vpc", options.vpc, "vpc-0123456789abcdef0")
    for option, value in (("--subnets", options.subnets), ("--balancer-subnets", options.balancer_subnets)):
        _check_format(_SUBNETS, option, value, "subnet-0123456789abcdef0,subnet-0fedcba9876543210")
    if options.subnets and not options.vpc:
        raise InvalidUsage("--subnets needs --vpc, of which they are", "pass --vpc ID as well")
    if options.vpc and not options.subnets:
        raise InvalidUsage("--vpc needs --subnets: two of its subnets, in two zones", "pass --subnets ID,ID")


def _front(options: argparse.Namespace) -> str | None:
    _check_format(
        _LISTENER,
        "--listener",
        options.listener,
        "arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/ID",
    )
    if options.listener:
        if options.front:
            raise InvalidUsage("--listener is instead of --front", "pass one of them")
        return "listener"
    front: str | None = options.front
    return front


def _callers(value: str | None) -> dict[str, str | None]:
    """Each list filled up, since a template cannot count."""
    if value is None:
        return {}
    try:
        networks = [ip_network(each.strip()) for each in value.split(",")]
    except ValueError as error:
        raise InvalidUsage(
            f"--allow-cidr {value}: {error}", "for example 203.0.113.0/24,2001:db8::/32"
        ) from None
    lists = {}
    for version, name, most in ((4, "AllowCidrs", MOST_IPV4), (6, "AllowCidrs6", MOST_IPV6)):
        own = [str(each) for each in networks if each.version == version]
        if len(own) > most:
            raise InvalidUsage(
                f"--allow-cidr: these are {len(own)} networks of IPv{version}, and {most} are possible",
                "join neighbouring networks into larger ones",
            )
        lists[name] = ",".join([*own, *[NO_NETWORK] * (most - len(own))])
    return dict(lists)
