"""What is in front of web: a load balancer, an HTTP API, a listener that exists, or nothing."""

import argparse
import re
from collections.abc import Mapping

from ecs.errors import InvalidUsage
from ecs.options.formats import check_format, choice
from ecs.options.networks import NO_NETWORK

_CERTIFICATE = re.compile(r"arn:[\w-]+:acm:[\w-]+:\d{12}:certificate/\S+")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_LISTENER = re.compile(r"arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:listener/app/\S+")


def add_front_options(group: argparse._ArgumentGroup) -> None:
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
    group.add_argument(
        "--internal", action=argparse.BooleanOptionalAction, help="a load balancer for the VPC alone"
    )
    group.add_argument(
        "--listener", metavar="ARN", help="a listener of an existing load balancer, instead of a new one"
    )


def front_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """The parameters of the app. Raises InvalidUsage for values that AWS would refuse."""
    check_format(
        _CERTIFICATE, "--certificate", options.certificate, "arn:aws:acm:REGION:ACCOUNT:certificate/ID"
    )
    check_format(_DOMAIN, "--domain", options.domain, "pay.example.com")
    return {
        "Front": _front(options),
        "Scheme": choice(options.internal, "internal", "internet-facing"),
        "ListenerArn": options.listener or None,
        "CertificateArn": options.certificate,
        "Domain": options.domain,
    }


def _front(options: argparse.Namespace) -> str | None:
    check_format(
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


def check_callers(app: Mapping[str, str], base: Mapping[str, str]) -> None:
    """Raises InvalidUsage for networks that an HTTP API could not tell from others."""
    networks = {*base["AllowCidrs"].split(","), *base["AllowCidrs6"].split(",")} - {NO_NETWORK}
    if app.get("Front") == "api" and networks != {"0.0.0.0/0", "::/0"}:
        raise InvalidUsage(
            "--front api: an HTTP API is open to all networks, and keys alone protect it",
            "pass --front alb, or --allow-cidr 0.0.0.0/0,::/0",
        )
