"""A deployment: its two stacks, its services, and what they are reached by."""

import argparse
import subprocess
import time
from collections.abc import Callable

from ecs import bucket, zones
from ecs.aws import Aws
from ecs.errors import MAKE_IT, BadInput, NotThere
from ecs.names import Names
from ecs.options import check_https
from ecs.services import Services
from ecs.stack import Stack
from ecs.state import needs
from ecs.template import Template

_PLACEHOLDER = "known-after-base"


class Deployment:
    def __init__(self, aws: Aws, names: Names, wait: Callable[[float], None] = time.sleep) -> None:
        self.aws = aws
        self.names = names
        self.wait = wait
        self.base = Stack(aws.client("cloudformation"), names.base, wait)
        self.app = Stack(aws.client("cloudformation"), names.app, wait)
        self.services = Services(aws.client("ecs"), names, wait)

    def base_outputs(self, app: Template) -> dict[str, str]:
        """What the app's template takes from the base. Raises BadInput if the base does not have it all."""
        made = needs(self.base.state(), self.names.base)
        wanted = _taken_from_base(app)
        if absent := sorted(wanted - made.outputs.keys()):
            raise BadInput(
                f"{self.names.base} tells nothing of {', '.join(absent)}",
                "was it made by another version? python -m ecs plan shows what differs",
            )
        return {name: made.outputs[name] for name in wanted}

    def planned_outputs(self, app: Template) -> dict[str, str]:
        """The same, with a word in the place of what the base does not have yet."""
        made = self.base.state()
        return {
            name: (made.outputs if made else {}).get(name, _PLACEHOLDER) for name in _taken_from_base(app)
        }

    def found(self, options: argparse.Namespace) -> dict[str, str]:
        """What the account has already, and the base is to use as it is."""
        return {**self._kept_files(), **self._providers(options)}

    def fitted(self, given: dict[str, str], wanted_zones: str | None) -> dict[str, str]:
        """The parameters given for the app, and its zones at first. Raises BadInput if they do not fit."""
        before, region = self.app.kept(), self.aws.region
        check_https(before | given, region)
        return {**given, **zones.settle(self.aws.client("ec2"), region, wanted_zones, before)}

    def _kept_files(self) -> dict[str, str]:
        if self.base.kept():
            return {}  # it was settled when the base was made
        kept = bucket.is_there(self.aws, self.names.bucket(self.aws.account, self.aws.region))
        return {"FilesKept": "yes"} if kept else {}

    def _providers(self, options: argparse.Namespace) -> dict[str, str]:
        """The account's OIDC providers where it has them already: it can have one for each platform."""
        before = self.base.kept()
        wanted = {
            parameter: host
            for parameter, project, given, host in (
                ("GitLabProvider", "GitLabProject", options.gitlab, "gitlab.com"),
                ("GitHubProvider", "GitHubRepository", options.github, "token.actions.githubusercontent.com"),
            )
            if given and not before.get(project)  # else it was settled then, and may be the stack's own
        }
        if not wanted:
            return {}
        listed = self.aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
        return {
            parameter: each["Arn"]
            for parameter, host in wanted.items()
            for each in listed
            if each["Arn"].endswith(f"/{host}")
        }

    def tag_before(self, tag: str) -> dict[str, str]:
        """What to remember as the tag that ran before this one."""
        state = self.app.state()
        runs = state.parameters.get("ImageTag") if state else None
        return {"PreviousTag": runs} if runs and runs != tag else {}

    def first_tag(self, given: str | None) -> str | None:
        """The commit's, where nothing runs yet and none is given."""
        if given is not None:
            return given
        state = self.app.state()
        if state and not state.empty:
            return None
        return commit_tag()

    def place(self) -> str:
        """Which of the accounts and regions that somebody may have it is in."""
        return f"{self.aws.region} of account {self.aws.account}"

    def why_stopped(self, logical: str) -> str:
        """By the name of the service in the template: WebService."""
        return self.services.why_stopped(logical.removesuffix("Service").lower())

    def address(self) -> str:
        """Where callers find web. Raises NotThere before there is one."""
        state = self.app.state()
        if state is None or state.empty:
            raise NotThere(f"there is no {self.names.app}", MAKE_IT)
        if state.parameters.get("LoadBalancing") == "no":
            return f"http://{self._task_address()}:8000"
        if "Address" not in state.outputs:
            raise NotThere(
                f"{self.names.app} has no address yet ({state.status})", "python -m ecs up goes on with it"
            )
        return state.outputs["Address"]

    def domain_target(self) -> str:
        """The load balancer's own name, to which that of --domain has to point; empty without one."""
        state = self.app.state()
        return state.outputs.get("LoadBalancerName", "") if state and state.parameters.get("Domain") else ""

    def _task_address(self) -> str:
        interfaces = [
            task.address_of_interface
            for task in self.services.tasks()
            if task.service == "web" and task.address_of_interface
        ]
        if interfaces:
            found = self.aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=interfaces[:1])
            address = found["NetworkInterfaces"][0].get("Association", {}).get("PublicIp")
            if address:
                return str(address)
        raise NotThere("no web task has a public address yet", "python -m ecs ps shows how web is")


def _taken_from_base(app: Template) -> set[str]:
    return set(app.parameters) & set(Template("base").parsed["Outputs"])


def commit_tag() -> str:
    """The tag of this commit's images."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise BadInput(
            "no --tag was given, and this is no git repository whose commit could be the tag",
            "run it in the repository, or pass --tag NAME",
        ) from None
    return done.stdout.strip()
