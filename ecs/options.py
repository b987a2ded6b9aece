"""Options of the deployment, and the parameters of the stacks that they become."""

import argparse
import re
from collections.abc import Mapping
from ipaddress import IPv4Network

from ecs.errors import BadInput
from ecs.template import Template

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_SIZE = re.compile(r"(\d+)/(\d+)")
_CERTIFICATE = re.compile(r"arn:[\w-]+:acm:[\w-]+:\d{12}:certificate/\S+")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_GITLAB = re.compile(r"[\w.-]+(/[\w.-]+)+")
_GITHUB = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
MEMORY = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""MiB that Fargate has for so many CPU units."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `plan` and `up` take. What is not given stays as it is."""
    group = parser.add_argument_group("the deployment; what is not given stays as it is")
    group.add_argument("--tag", help="tag of the images (at first: the commit's)")
    group.add_argument(
        "--alb", action=argparse.BooleanOptionalAction, help="a load balancer, with an address that stays"
    )
    group.add_argument("--certificate", metavar="ARN", help="of ACM, for HTTPS at the load balancer")
    group.add_argument("--domain", metavar="NAME", help="for which the certificate is: see ecs/README.md")
    group.add_argument("--allow-cidr", metavar="CIDR", help="who may reach web (0.0.0.0/0)")
    group.add_argument(
        "--zones", metavar="ZONE,ZONE", help="where it is, for good (the region's first two with Fargate)"
    )
    group.add_argument(
        "--redis", choices=["ecs", "elasticache"], help="a task of our own (ecs), or ElastiCache"
    )
    group.add_argument(
        "--spot", type=int, metavar="PERCENT", help="of the workers beyond the first, on Spot (80)"
    )
    group.add_argument("--web-size", metavar="CPU/MIB", help="of a web task (256/512)")
    group.add_argument("--worker-size", metavar="CPU/MIB", help="of a worker (1024/2048)")
    group.add_argument("--alarm-email", metavar="ADDRESS", help="who is written to when an alarm goes off")
    group.add_argument("--log-days", type=int, metavar="DAYS", help="how long logs are kept (30)")
    group.add_argument("--gitlab", metavar="GROUP/PROJECT", help="whose pipelines of main may deploy")
    group.add_argument(
        "--github",
        metavar="OWNER/NAME",
        help="whose workflows of main may deploy; OWNER@ID/NAME@ID if it is new: see ecs/README.md",
    )


def base_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises BadInput for what no AWS would take."""
    _check(_GITLAB, "--gitlab", options.gitlab, "group/project")
    _check(_GITHUB, "--github", options.github, "owner/name or owner@123/name@456")
    days = Template("base").parameters["LogRetentionDays"]["AllowedValues"]
    if options.log_days is not None and options.log_days not in days:
        raise BadInput(
            f"--log-days {options.log_days}: logs cannot be kept so long",
            f"they can be for {', '.join(map(str, days))} days",
        )
    given = {
        "Name": options.stack,
        "LogRetentionDays": options.log_days,
        "GitLabProject": options.gitlab,
        "GitHubRepository": options.github,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def app_parameters(options: argparse.Namespace) -> dict[str, str]:
    """Raises BadInput for what no AWS would take."""
    web_cpu, web_memory = _size(options.web_size, "--web-size")
    worker_cpu, worker_memory = _size(options.worker_size, "--worker-size")
    least = Template("app").parameters["WorkerMemory"]["MinValue"]
    if worker_memory and int(worker_memory) < least:
        raise BadInput(
            f"--worker-size {options.worker_size}: too little for the processes of a worker",
            f"they take {least} MiB at the least",
        )
    if options.spot is not None and not 0 <= options.spot <= 100:
        raise BadInput(f"--spot {options.spot}: a share goes from 0 to 100 percent", "as in --spot 80")
    _check(_CERTIFICATE, "--certificate", options.certificate, "arn:aws:acm:REGION:ACCOUNT:certificate/ID")
    _check(_DOMAIN, "--domain", options.domain, "pay.example.com")
    _check(_EMAIL, "--alarm-email", options.alarm_email, "ada@example.com")
    given = {
        "Name": options.stack,
        "ImageTag": tag(options.tag),
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
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def check_https(parameters: Mapping[str, str], region: str) -> None:
    """Raises BadInput for an address that no caller could trust, of what is given and what was before."""
    certificate, domain = parameters.get("CertificateArn"), parameters.get("Domain")
    if bool(certificate) != bool(domain):
        raise BadInput(
            "--certificate and --domain need each other: callers ask whether the one is for the other",
            'pass both, or --certificate "" --domain "" for neither',
        )
    if certificate and parameters.get("LoadBalancing") == "no":
        raise BadInput(
            "--certificate needs the load balancer that --no-alb leaves out",
            'pass --alb, or --certificate "" --domain ""',
        )
    if certificate and certificate.split(":")[3] != region:
        raise BadInput(
            f"--certificate {certificate}: the load balancer is in {region}, and takes none of elsewhere",
            f"ask ACM for one in {region}",
        )


def tag(given: str | None) -> str | None:
    if given is not None and not _TAG.fullmatch(given):
        raise BadInput(
            f"--tag {given!r} cannot be an image's tag: letters, digits, '.', '_' and '-', at most 128",
            "as in --tag 1.4.0",
        )
    return given


def _check(form: re.Pattern[str], option: str, given: str | None, example: str) -> None:
    """The empty text takes back what was given before."""
    if given and not form.fullmatch(given):
        raise BadInput(f"{option} cannot be {given}", f"as in {option} {example}")


def _network(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return str(IPv4Network(given))
    except ValueError as error:
        raise BadInput(f"--allow-cidr {given}: {error}", "as in 203.0.113.0/24") from None


def _size(given: str | None, option: str) -> tuple[str | None, str | None]:
    if given is None:
        return None, None
    match = _SIZE.fullmatch(given)
    cpu, memory = (int(match[1]), int(match[2])) if match else (0, 0)
    if cpu not in MEMORY:
        raise BadInput(
            f"{option} {given}: must be CPU/MIB, as in 1024/2048",
            f"Fargate has CPU {', '.join(map(str, MEMORY))}",
        )
    if memory not in MEMORY[cpu]:
        fitting = MEMORY[cpu]
        raise BadInput(
            f"{option} {given}: Fargate has no {memory} MiB for {cpu} CPU units",
            f"it has {fitting[0]} to {fitting[-1]} MiB for them",
        )
    return str(cpu), str(memory)
