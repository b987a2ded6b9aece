"""From where CI may deploy."""

import argparse
import re

from ecs.options.formats import check_format

_GITLAB = re.compile(r"[\w.-]+(/[\w.-]+)+")
_GITHUB = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
_BRANCH = re.compile(r"[\w./-]+")


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


def ci_parameters(options: argparse.Namespace) -> dict[str, str | None]:
    """Of the base. Raises InvalidUsage for values that no platform has."""
    check_format(_GITLAB, "--gitlab", options.gitlab, "group/project")
    check_format(_GITHUB, "--github", options.github, "owner/name or owner@123/name@456")
    check_format(_BRANCH, "--ci-branch", options.ci_branch, "main")
    return {
        "GitLabProject": options.gitlab,
        "GitHubRepository": options.github,
        "CiBranch": options.ci_branch,
        "CiEnvironment": options.ci_environment,
    }
