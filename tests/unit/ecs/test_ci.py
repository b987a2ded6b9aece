"""The CI files match their platforms' schemas, and use commands, roles and permissions that exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from ecs.__main__ import COMMANDS
from ecs.errors import InvalidUsage
from ecs.options import base_parameters
from tests.unit.ecs.templates import Templates, as_list, shipped
from tests.unit.ecs.test_templates import options

GITLAB = Path(".gitlab-ci.yml")
GITHUB = Path(".github/workflows/ci.yml")
SCHEMAS = {
    GITLAB: ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    GITHUB: ["vendor.github-workflows"],
}


class _Loader(yaml.SafeLoader):
    """Reads GitLab's !reference, and `on` as text."""


def _reference(loader: yaml.SafeLoader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    return list(loader.construct_sequence(node))


_Loader.add_constructor("!reference", _reference)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(file.read_text(), _Loader)  # noqa: S506 (a SafeLoader)
    return content


def role_actions() -> set[str]:
    """The actions that the deployment role allows; it is the only role of the base stack."""
    statements = Templates(shipped().base, {"Resources": {}}).statements()
    return {action for _, statement in statements for action in as_list(statement["Action"])}


def matches_schema(file: Path, schema: list[str]) -> bool:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(file)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.process
@pytest.mark.parametrize("file", SCHEMAS, ids=str)
def test_the_file_matches_its_schema(file: Path) -> None:
    assert matches_schema(file, SCHEMAS[file])


@pytest.mark.process
@pytest.mark.parametrize(("file", "word"), [(GITLAB, "resource_group"), (GITHUB, "runs-on")], ids=str)
def test_the_schema_detects_a_misspelling(file: Path, word: str, tmp_path: Path) -> None:
    copy = tmp_path / file.name
    copy.write_text(file.read_text().replace(f"{word}:", f"{word[:-1]}:"))
    assert not matches_schema(copy, SCHEMAS[file])


@pytest.mark.parametrize("file", SCHEMAS, ids=str)
def test_the_file_uses_existing_commands_and_options(file: Path) -> None:
    lines = re.findall(r"python -m ecs (\w+)(.*)$", file.read_text(), re.MULTILINE)
    used = {command for command, _ in lines}
    assert used >= {"push", "update", "up"}
    assert used <= set(COMMANDS)
    for _, rest in lines:
        options = {word for word in shlex.split(rest.split(",")[0]) if word.startswith("--")}
        assert options <= {"--tag", "--images-only", "--yes", "--gitlab", "--github"}


def test_jobs_need_existing_jobs_and_stages() -> None:
    gitlab, github = read(GITLAB), read(GITHUB)
    jobs = {name: job for name, job in gitlab.items() if isinstance(job, dict) and "script" in job}
    assert set(jobs) == {"test", "test-pythons", "push", "update"}
    for job in jobs.values():
        assert job["stage"] in gitlab["stages"]
        assert set(job.get("needs", [])) <= set(jobs)
    assert github["jobs"]["update"]["needs"] == ["test", "push"]
    assert jobs["update"]["needs"] == ["test", "test-pythons", "push"]


def test_ci_runs_every_check_that_its_platform_can_run() -> None:
    """A GitHub job has a Docker engine on its own host; a GitLab job has not."""
    everything = re.findall(r"^make .+$", Path(".ci/run").read_text(), re.MULTILINE)
    assert everything[-1] == "make test-containers"
    assert read(GITLAB)["test"]["script"] + read(GITLAB)["test-pythons"]["script"] == everything[:-1]
    assert read(GITHUB)["jobs"]["test"]["steps"][-1] == {"run": ".ci/run"}


def test_only_one_branch_deploys_which_the_project_may_choose() -> None:
    [rule] = read(GITLAB)[".aws"]["rules"]
    assert rule["if"].startswith("$CI_COMMIT_BRANCH == $DEPLOY_BRANCH &&")
    assert read(GITLAB)["variables"]["DEPLOY_BRANCH"] == "main"
    assert (
        "github.ref == format('refs/heads/{0}', vars.DEPLOY_BRANCH || 'main')"
        in read(GITHUB)["jobs"]["push"]["if"]
    )


def role_of(*arguments: str) -> dict[str, str]:
    """The claims that the role of CI trusts."""
    set_by = base_parameters(options(*arguments))
    return {claim: set_by[f"Ci{claim}"] for claim in ("Issuer", "Audience", "Subject")}


def test_the_role_trusts_the_tokens_of_gitlab() -> None:
    audience = read(GITLAB)[".aws"]["id_tokens"]["AWS_ID_TOKEN"]["aud"]
    assert audience == "$CI_SERVER_URL"  # the address of the GitLab that runs the job, which is its issuer
    subject = "project_path:group/project:ref_type:branch:ref:main"
    assert role_of("--gitlab", "group/project") == {
        "Issuer": "gitlab.com",
        "Audience": "https://gitlab.com",
        "Subject": subject,
    }
    own = role_of("--gitlab", "group/project", "--ci-issuer", "https://git.example.com:8443")
    assert own == {
        "Issuer": "git.example.com:8443",
        "Audience": "https://git.example.com:8443",
        "Subject": subject,
    }


def test_the_role_trusts_the_tokens_of_github() -> None:
    branch = role_of("--github", "owner/name", "--ci-branch", "release/2")
    assert branch["Issuer"] == "token.actions.githubusercontent.com"
    assert branch["Audience"] == "sts.amazonaws.com"  # what aws-actions/configure-aws-credentials asks for
    assert branch["Subject"] == "repo:owner/name:ref:refs/heads/release/2"
    # In a job with an environment, GitHub's token names the environment instead of the branch.
    environment = role_of("--github", "owner@1/name@2", "--ci-environment", "production")
    assert environment["Subject"] == "repo:owner@1/name@2:environment:production"
    assert all("environment" not in job for job in read(GITHUB)["jobs"].values())


def test_the_role_trusts_a_github_enterprise_server_with_a_certificate_of_its_own() -> None:
    server = ("--ci-issuer", "https://github.example.com/_services/token", "--ci-thumbprint", "0" * 40)
    set_by = base_parameters(options("--github", "owner/name", *server))
    assert set_by["CiIssuer"] == "github.example.com/_services/token"
    assert set_by["CiThumbprints"] == "0" * 40
    platform = shipped().base["Resources"]["CiPlatform"]["Properties"]
    assert platform["Url"] == {"Fn::Sub": "https://${CiIssuer}"}


def test_without_a_project_nobody_of_ci_is_trusted() -> None:
    assert "CiIssuer" not in base_parameters(options())
    assert base_parameters(options("--gitlab", ""))["CiIssuer"] == ""
    assert shipped().base["Conditions"]["InCi"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "CiIssuer"}, ""]}]}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--gitlab", "group/project", "--github", "owner/name"),
        ("--gitlab", "group/project", "--ci-environment", "production"),
        ("--github", "owner/name", "--ci-branch", "release*"),
        ("--github", "owner/name", "--ci-environment", 'a","b'),
        ("--github", "owner/name", "--ci-issuer", "http://github.example.com"),
        ("--ci-branch", "release"),
    ],
    ids=" ".join,
)
def test_what_would_trust_nobody_or_too_many_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidUsage):
        base_parameters(options(*arguments))


@pytest.mark.parametrize(
    ("kind", "handlers"),
    [("AWS::ECS::TaskDefinition", ("create", "delete")), ("AWS::ECS::Service", ("update",))],
)
def test_the_deployment_role_allows_what_cloudformation_does_in_an_update(
    kind: str, handlers: tuple[str, ...]
) -> None:
    """CloudFormation acts with the permissions of its caller; its schemas list the actions."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    required = {action for handler in handlers for action in schema["handlers"][handler]["permissions"]}
    assert required - role_actions() == {"ecs:UntagResource"} & required  # an update removes no tag


def test_an_update_does_not_look_up_zones() -> None:
    """The role does not allow it, and another result would replace the subnets."""
    assert "Fn::GetAZs" not in str(shipped().app)
    assert not {action for action in role_actions() if action.startswith("ec2:")}


def test_github_actions_are_pinned_by_commit_with_their_version_in_a_comment() -> None:
    """A tag of an action can be moved to other code, which would run with the deployment role."""
    used = re.findall(r"uses: (.*)$", GITHUB.read_text(), re.MULTILINE)
    assert used
    assert [
        each for each in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)
    ] == []


def test_ci_uses_no_long_lived_aws_key() -> None:
    assert not re.search(
        r"AWS_SECRET_ACCESS_KEY|aws-secret-access-key", GITLAB.read_text() + GITHUB.read_text()
    )
