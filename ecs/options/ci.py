"""From where CI may deploy: whose tokens the role of CI trusts."""

import argparse
import re
from typing import NamedTuple

from ecs.errors import InvalidUsage
from ecs.options.formats import check_format

_GITLAB = re.compile(r"[\w.-]+(/[\w.-]+)+")
_GITHUB = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
_BRANCH = re.compile(r"[\w./-]+")
_ENVIRONMENT = re.compile(r"[^\"\\\\*?:]{1,255}")
_ISSUER = re.compile(r"https://[a-z0-9.-]+(:\d+)?(/[\w./-]*[\w-])?")
_AUDIENCE = re.compile(r"[^\"\\\\\s]+")
_THUMBPRINT = re.compile(r"[0-9a-f]{40}(,[0-9a-f]{40}){0,4}", re.IGNORECASE)
NO_CI = {"CiIssuer": "", "CiSubject": ""}


class Platform(NamedTuple):
    """Where pipelines run, and what their tokens say."""

    option: str
    issuer: str
    audience: str
    """The audience of a job which names none; empty for the issuer's address."""
    branch: str
    """The claim `sub` of a job of a branch, for the project and the branch."""
    environment: str
    """The claim `sub` of a job with an environment, where it names it."""


GITLAB = Platform(
    "--gitlab", "https://gitlab.com", "", "project_path:{project}:ref_type:branch:ref:{branch}", ""
)
GITHUB = Platform(
    "--github",
    "https://token.actions.githubusercontent.com",
    "sts.amazonaws.com",
    "repo:{project}:ref:refs/heads/{branch}",
    "repo:{project}:environment:{environment}",
)


def add_ci_options(group: argparse._ArgumentGroup) -> None:
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
    group.add_argument(
        "--ci-issuer",
        metavar="URL",
        help="issuer of the tokens of a GitLab or GitHub of your own, such as https://gitlab.example.com or "
        "https://github.example.com/_services/token",
    )
    group.add_argument(
        "--ci-audience",
        metavar="TEXT",
        help="claim aud of the tokens (default: the issuer of GitLab, sts.amazonaws.com for GitHub)",
    )
    group.add_argument(
        "--ci-thumbprint",
        metavar="SHA1,…",
        help="thumbprint of the certificate of an issuer that no public authority signed",
    )


def ci_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """The parameters of the base. Raises InvalidUsage for values that no platform has."""
    _check_formats(options)
    if options.gitlab and options.github:
        raise InvalidUsage("--gitlab and --github: one project may deploy", "pass one of them")
    chosen = [(GITLAB, options.gitlab), (GITHUB, options.github)]
    platform, project = next(((each, name) for each, name in chosen if name), (GITHUB, None))
    if project is None:
        _check_nothing_else(options)
        return dict(NO_CI) if "" in (options.gitlab, options.github) else {}
    issuer = options.ci_issuer or platform.issuer
    return {
        "CiIssuer": issuer.removeprefix("https://"),
        "CiAudience": options.ci_audience or platform.audience or issuer,
        "CiSubject": _subject(platform, project, options),
        "CiThumbprints": options.ci_thumbprint,
    }


def _subject(platform: Platform, project: str, options: argparse.Namespace) -> str:
    environment = options.ci_environment
    if environment and not platform.environment:
        raise InvalidUsage(
            f"--ci-environment {environment}: a token of GitLab names the branch, and no environment",
            "pass --ci-branch BRANCH, and protect the environment in GitLab",
        )
    claim = platform.environment if environment else platform.branch
    return claim.format(project=project, branch=options.ci_branch or "main", environment=environment)


def _check_nothing_else(options: argparse.Namespace) -> None:
    for name in ("branch", "environment", "issuer", "audience", "thumbprint"):
        if value := getattr(options, f"ci_{name}"):
            raise InvalidUsage(
                f"--ci-{name} {value}: the project is missing",
                "pass --gitlab GROUP/PROJECT or --github OWNER/NAME as well",
            )


def _check_formats(options: argparse.Namespace) -> None:
    for pattern, option, value, example in (
        (_GITLAB, "--gitlab", options.gitlab, "group/project"),
        (_GITHUB, "--github", options.github, "owner/name or owner@123/name@456"),
        (_BRANCH, "--ci-branch", options.ci_branch, "main"),
        (_ENVIRONMENT, "--ci-environment", options.ci_environment, "production"),
        (_ISSUER, "--ci-issuer", options.ci_issuer, "https://gitlab.example.com"),
        (_AUDIENCE, "--ci-audience", options.ci_audience, "https://gitlab.example.com"),
        (_THUMBPRINT, "--ci-thumbprint", options.ci_thumbprint, "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"),
    ):
        check_format(pattern, option, value, example)
