"""A deployment: its stacks, its services and its address."""

import argparse
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ecs import bucket, bundles, events, network, zones
from ecs.aws import Aws
from ecs.errors import NEXT_STEP_CREATE, InvalidUsage, ResourceNotFound
from ecs.keeping import check_keeping
from ecs.names import ResourceNames
from ecs.options import app_parameters, base_parameters
from ecs.options.front import check_callers, check_https
from ecs.options.operating import check_alarms
from ecs.services import Services
from ecs.settings import arns_of_callers_files
from ecs.stack import Stack
from ecs.stack_state import require_stable
from ecs.template import Template

TAGS_KEPT = 10
_PLACEHOLDER = "known-after-base"


class Parameters(NamedTuple):
    """`events` is None where there are none."""

    base: dict[str, str]
    events: dict[str, str] | None
    app: dict[str, str]


class Deployment:
    def __init__(self, aws: Aws, names: ResourceNames, wait: Callable[[float], None] = time.sleep) -> None:
        self.aws = aws
        self.names = names
        self.wait = wait
        self.base = Stack(aws.client("cloudformation"), names.base, wait)
        self.events = Stack(aws.client("cloudformation"), names.events, wait)
        self.app = Stack(aws.client("cloudformation"), names.app, wait)
        self.services = Services(aws.client("ecs"), names, wait)

    def base_outputs(self, template: Template) -> dict[str, str]:
        """The base outputs that are parameters of the template. Raises InvalidUsage if one is missing."""
        state = require_stable(self.base.state(), self.names.base)
        required = _base_parameters_of(template)
        if absent := sorted(required - state.outputs.keys()):
            raise InvalidUsage(
                f"the stack {self.names.base} has no output {', '.join(absent)}; another version of Paygrade "
                "may have created it",
                "python -m ecs plan shows the differences; python -m ecs up applies them",
            )
        return {name: state.outputs[name] for name in required}

    def planned_outputs(self, template: Template) -> dict[str, str]:
        """Like base_outputs, with a placeholder for outputs that do not exist yet."""
        state = self.base.state()
        outputs = state.outputs if state else {}
        return {name: outputs.get(name, _PLACEHOLDER) for name in _base_parameters_of(template)}

    def existing_resources(self, requested: Mapping[str, str]) -> dict[str, str]:
        """Parameters that make the base use what already exists in the account."""
        return {**self._existing_bucket(), **self._existing_oidc_provider(requested)}

    def checked_parameters(self, options: argparse.Namespace) -> Parameters:
        """What the options ask for, what the account has, and what follows from both.

        Raises InvalidUsage if they contradict each other.
        """
        base, app = base_parameters(options), app_parameters(options)
        current_base, current_app = self.base.parameters(), self.app.parameters()
        self._check_stacks_are_ours()
        check_https(current_app | app, self.aws.region)
        check_keeping(current_app | app)
        base_values = Template("base").values(current_base | base)
        check_callers(current_app | app, base_values)
        check_alarms(base_values, self.aws.region)
        place = network.Place(self.aws, self.location())
        network.check_fixed(current_base, base)
        if network.is_existing(current_base | base):
            app |= network.app_parameters(place, base_values, current_app | app)
        else:
            network.check_own(current_app | app, self.location())
            app |= {"AddressType": "dualstack"}
            base |= zones.zone_parameters(
                self.aws.client("ec2"), self.aws.region, options.zones, current_base
            )
        evented = self.has_events(options)
        app |= self._event_parameters(evented, current_app | app)
        events.check_served(current_app | app)
        app |= self._derived(app, Template("app").values(current_app | app))
        of_events = events.parameters(current_base | base, current_app | app, self.files) if evented else None
        return Parameters(base | self.existing_resources(base), of_events, app)

    def has_events(self, options: argparse.Namespace) -> bool:
        """What --events and --no-events say; without them, what is there."""
        return events.exist(self.events) if options.events is None else bool(options.events)

    def _event_parameters(self, evented: bool, app: Mapping[str, str]) -> dict[str, str]:
        """The parameters of the app that change."""
        allowed = events.allowed(app.get("S3Allow", ""), self.files, evented)
        found = {"S3Allow": allowed, **events.app_parameters(self.events, evented)}
        return {name: value for name, value in found.items() if app.get(name, "") != value}

    def _check_stacks_are_ours(self) -> None:
        """A change would replace all that is in a stack of something else."""
        for stack in self.stacks:
            state = stack.state()
            if state and not state.in_review and state.parameters.get("Name") != self.names.deployment:
                raise InvalidUsage(
                    f"the stack {stack.name} in {self.location()} is none of Paygrade's: it has no parameter "
                    f"Name={self.names.deployment}",
                    "pass another --stack, so that nothing of that stack is replaced",
                )

    def _derived(self, requested: dict[str, str], values: dict[str, str]) -> dict[str, str]:
        """Parameters that follow from others, of all of which `values` has the new or current value."""
        room = bundles.worker_room(values["BundlesBucket"], int(values["WorkerMemory"]))
        callers_files = arns_of_callers_files(values["S3Allow"], self.aws.partition)
        return {"WorkerRoom": str(room), **(callers_files if "S3Allow" in requested else {})}

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """In the order in which they are made."""
        return self.base, self.events, self.app

    @property
    def files(self) -> str:
        """The bucket with the files of batches."""
        return self.names.bucket(self.aws.account, self.aws.region)

    def _existing_bucket(self) -> dict[str, str]:
        if self.base.parameters():
            return {}  # decided when the base was created
        exists = bucket.exists(self.aws, self.files)
        return {"FilesKept": "yes"} if exists else {}

    def _existing_oidc_provider(self, requested: Mapping[str, str]) -> dict[str, str]:
        """An account can have only one OIDC provider for each issuer.

        Raises InvalidUsage if it accepts no tokens with the audience.
        """
        issuer = requested.get("CiIssuer")
        # A provider that is already in use may be the stack's own.
        if not issuer or issuer == self.base.parameters().get("CiIssuer"):
            return {}
        iam = self.aws.client("iam")
        listed = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
        arn = next((each for each in listed if each.partition("/")[2] == issuer), "")
        if arn:
            audiences = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]
            if requested["CiAudience"] not in audiences:
                raise InvalidUsage(
                    f"account {self.aws.account} has an OIDC provider for {issuer} that accepts tokens for "
                    f"{', '.join(audiences)}, and not for {requested['CiAudience']}",
                    "pass --ci-audience with one of these, or run aws iam "
                    f"add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn} "
                    f"--client-id {requested['CiAudience']}",
                )
        return {"CiProvider": arn}

    def previous_tags_parameter(self, tag: str) -> dict[str, str]:
        """Records the running tag, for a later rollback, if the new tag differs."""
        parameters = self.app.parameters()
        running = parameters.get("ImageTag")
        if not running or running == tag:
            return {}
        others = [each for each in previous_tags(parameters) if each not in (tag, running)]
        return {"PreviousTags": ",".join([running, *others][:TAGS_KEPT])}

    def check_jobs_are_kept(self, requested: dict[str, str], lose_jobs: bool) -> None:
        """Raises InvalidUsage for another kind of Redis, to which jobs do not move."""
        now = self.app.parameters().get("Redis")
        wanted = requested.get("Redis", now)
        if now and wanted != now and not lose_jobs:
            raise InvalidUsage(
                f"--redis {wanted} loses all jobs and records of {self.names.deployment} in "
                f"{self.location()}, and those that are accepted during the change",
                "wait until no job waits, and pass --lose-jobs as well",
            )

    def tag_to_deploy(self, tag: str | None) -> str | None:
        """The given tag; without one, the commit's tag for a new deployment and None for an existing one."""
        if tag is not None:
            return tag
        state = self.app.state()
        if state and not state.in_review:
            return None
        return commit_tag()

    def location(self) -> str:
        """The region and account, for confirmation questions."""
        return f"region {self.aws.region} of account {self.aws.account}"

    def resource(self, logical_id: str) -> str:
        """The physical id of a resource of the app."""
        found = self.aws.client("cloudformation").describe_stack_resource(
            StackName=self.names.app, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def stop_reason(self, logical_id: str) -> str:
        """Why tasks of a service stop, by its logical id in the template, such as WebService."""
        spot = logical_id == "SpotWorkerService"
        return self.services.stop_reason(
            "worker-spot" if spot else logical_id.removesuffix("Service").lower()
        )

    def address(self) -> str:
        """The base URL of web. Raises ResourceNotFound if there is none yet."""
        state = self.app.state()
        if state is None or state.in_review:
            raise ResourceNotFound(f"the stack {self.names.app} does not exist", NEXT_STEP_CREATE)
        if state.parameters.get("Front") == "none":
            private = state.parameters.get("PublicAddresses") == "DISABLED"
            return f"http://{self._task_address(private)}:8000"
        if "Address" not in state.outputs:
            raise ResourceNotFound(
                f"the stack {self.names.app} has no address yet ({state.status})",
                "run python -m ecs up, which completes the stack",
            )
        return state.outputs["Address"]

    @property
    def in_production(self) -> bool:
        return self.app.parameters().get("Production") == "yes"

    def protect(self, on: bool) -> None:
        """Whether CloudFormation refuses to delete the stacks."""
        for stack in self.stacks:
            if stack.state():
                stack.protect(on)

    def domain_target(self) -> str:
        """The load balancer's DNS name, to which --domain must point. Empty if no domain is set."""
        state = self.app.state()
        return state.outputs.get("LoadBalancerName", "") if state and state.parameters.get("Domain") else ""

    def _task_address(self, private: bool) -> str:
        interfaces = [
            task.address_of_interface
            for task in self.services.tasks()
            if task.service == "web" and task.address_of_interface
        ]
        if interfaces:
            found = self.aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=interfaces[:1])
            interface = found["NetworkInterfaces"][0]
            address = interface.get("Association", {}).get("PublicIp")
            if private:
                address = interface.get("PrivateIpAddress")
            if address:
                return str(address)
        raise ResourceNotFound(
            "no web task has a public address yet", "python -m ecs ps shows the state of the web tasks"
        )


def _base_parameters_of(template: Template) -> set[str]:
    return set(template.parameters) & set(Template("base").parsed["Outputs"])


def previous_tags(parameters: Mapping[str, str]) -> list[str]:
    """The tags that ran before, the last first."""
    return [each for each in parameters.get("PreviousTags", "").split(",") if each and each != "none"]


def commit_tag() -> str:
    """The image tag of the current commit: its first 12 hexadecimal digits."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise InvalidUsage(
            "no --tag was given, and there is no Git repository here whose commit could be the tag",
            "run the command in the repository, or pass --tag NAME",
        ) from None
    return done.stdout.strip()
