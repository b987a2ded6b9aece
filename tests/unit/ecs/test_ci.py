"""What CI runs there cannot be run here: the files keep their platforms' schemas, and call what exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from ecs.__main__ import VERBS
from tests.unit.ecs.templates import Templates, as_list, shipped

GITLAB = Path(".gitlab-ci.yml")
GITHUB = Path(".github/workflows/ci.yml")
SCHEMAS = {
    GITLAB: ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    GITHUB: ["vendor.github-workflows"],
}


class _Loader(yaml.SafeLoader):
    """With GitLab's !reference, and `on` as the word that it is."""


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


def rights() -> set[str]:
    """Actions of CI's role, the only one of the base stack."""
    statements = Templates(shipped().base, {"Resources": {}}).statements()
    return {action for _, statement in statements for action in as_list(statement["Action"])}


def keeps_schema(file: Path, schema: list[str]) -> bool:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(file)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.parametrize("file", SCHEMAS, ids=str)
def test_it_keeps_the_schema(file: Path) -> None:
    assert keeps_schema(file, SCHEMAS[file])


@pytest.mark.parametrize(("file", "word"), [(GITLAB, "resource_group"), (GITHUB, "runs-on")], ids=str)
def test_a_misspelling_breaks_the_schema(file: Path, word: str, tmp_path: Path) -> None:
    copy = tmp_path / file.name
    copy.write_text(file.read_text().replace(f"{word}:", f"{word[:-1]}:"))
    assert not keeps_schema(copy, SCHEMAS[file])


@pytest.mark.parametrize("file", SCHEMAS, ids=str)
def test_the_command_line_takes_what_it_is_given(file: Path) -> None:
    lines = re.findall(r"python -m ecs (\w+)(.*)$", file.read_text(), re.MULTILINE)
    used = {verb for verb, _ in lines}
    assert used >= {"push", "update", "up"}
    assert used <= set(VERBS)
    for _, rest in lines:
        options = {word for word in shlex.split(rest.split(",")[0]) if word.startswith("--")}
        assert options <= {"--tag", "--yes", "--gitlab", "--github"}


def test_jobs_wait_for_jobs_and_stages_that_are_there() -> None:
    gitlab, github = read(GITLAB), read(GITHUB)
    jobs = {name: job for name, job in gitlab.items() if isinstance(job, dict) and "script" in job}
    assert set(jobs) == {"test", "push", "update"}
    for job in jobs.values():
        assert job["stage"] in gitlab["stages"]
        assert set(job.get("needs", [])) <= set(jobs)
    assert github["jobs"]["update"]["needs"] == jobs["update"]["needs"] == ["test", "push"]


def test_all_is_tested_that_can_be_tested_there() -> None:
    """A job of GitLab has no Docker engine on its own host; one of GitHub has."""
    everything = re.findall(r"^make \S+$", Path(".ci/run").read_text(), re.MULTILINE)
    assert "make test-containers" in everything
    assert read(GITLAB)["test"]["script"] == [each for each in everything if each != "make test-containers"]
    assert read(GITHUB)["jobs"]["test"]["steps"][-1] == {"run": ".ci/run"}


def test_only_the_main_branch_deploys() -> None:
    [rule] = read(GITLAB)[".aws"]["rules"]
    assert '$CI_COMMIT_BRANCH == "main"' in rule["if"]
    assert "github.ref == 'refs/heads/main'" in read(GITHUB)["jobs"]["push"]["if"]


def test_the_role_knows_the_tokens_that_ci_sends() -> None:
    trust = str(shipped().base["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"])
    audience = read(GITLAB)[".aws"]["id_tokens"]["AWS_ID_TOKEN"]["aud"]
    assert f"'gitlab.com:aud': '{audience}'" in trust
    assert "project_path:${GitLabProject}:ref_type:branch:ref:main" in trust
    assert "repo:${GitHubRepository}:ref:refs/heads/main" in trust
    # With an environment GitHub's token names that, and not the branch.
    assert all("environment" not in job for job in read(GITHUB)["jobs"].values())


@pytest.mark.parametrize(
    ("kind", "handlers"),
    [("AWS::ECS::TaskDefinition", ("create", "delete")), ("AWS::ECS::Service", ("update",))],
)
def test_the_role_may_all_that_cloudformation_does_for_an_update(
    kind: str, handlers: tuple[str, ...]
) -> None:
    """As its own schemas say; it acts with the rights of whoever executes the change set."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    wanted = {action for handler in handlers for action in schema["handlers"][handler]["permissions"]}
    assert wanted - rights() == {"ecs:UntagResource"} & wanted  # an update takes no tag away


def test_an_update_asks_for_no_zones() -> None:
    """The role may not, and another answer would replace the subnets."""
    assert "Fn::GetAZs" not in str(shipped().app)
    assert not {action for action in rights() if action.startswith("ec2:")}


def test_github_actions_are_pinned_by_commit_with_their_version_in_a_comment() -> None:
    """A tag of an action can be moved to other code, which would run with the deployment role."""
    used = re.findall(r"uses: (.*)$", GITHUB.read_text(), re.MULTILINE)
    assert used
    assert [
        each for each in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)
    ] == []


def test_no_key_of_aws_is_kept_anywhere() -> None:
    assert not re.search(
        r"AWS_SECRET_ACCESS_KEY|aws-secret-access-key", GITLAB.read_text() + GITHUB.read_text()
    )
