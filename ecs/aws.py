"""AWS clients, and AWS errors as one line with a next step."""

import difflib
import os
import re
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore import exceptions
from botocore.config import Config
from botocore.parsers import ResponseParserError

from ecs.errors import EcsError, InvalidUsage

_CONFIG = Config(
    # Standard mode backs off with jitter; AWS throttles the describe calls of a busy stack first.
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="paygrade-ecs",
)
AWS_ERRORS = (exceptions.BotoCoreError, exceptions.ClientError, ResponseParserError)
_RUN_DOCTOR = "python -m ecs doctor checks for the usual causes"
_UNKNOWN_CREDENTIALS = "AWS does not know these credentials; check the account and the profile"
_MISSING_PERMISSIONS = "python -m ecs doctor lists the missing permissions"
_THROTTLED = (
    "AWS throttles requests; changes already started continue; run the same command again in a minute"
)
_CONCURRENT_CHANGE = "another process is changing this deployment; run the same command again"
_QUOTA_REACHED = "a quota is reached: delete unused resources, or request an increase in Service Quotas"
_CLOCK = "set the clock of this machine, from which the time of AWS differs by more than five minutes"
_NEXT_STEPS = {
    "ExpiredToken": "sign in again: aws sso login, or new credentials",
    "ExpiredTokenException": "sign in again: aws sso login, or new credentials",
    "InvalidClientTokenId": _UNKNOWN_CREDENTIALS,
    "InvalidAccessKeyId": _UNKNOWN_CREDENTIALS,
    "UnrecognizedClientException": "check that the region is enabled for this account, and the credentials",
    "IncompleteSignature": "check the access key: it has a character that no key has, perhaps a space",
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "SignatureDoesNotMatch": "check that the secret key belongs to the access key",
    "AccessDenied": _MISSING_PERMISSIONS,
    "AccessDeniedException": _MISSING_PERMISSIONS,
    "UnauthorizedOperation": _MISSING_PERMISSIONS,
    "403": _MISSING_PERMISSIONS,
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "ChangeSetNotFound": _CONCURRENT_CHANGE,
    "InvalidChangeSetStatus": _CONCURRENT_CHANGE,
    "LimitExceededException": _QUOTA_REACHED,
    "ServiceQuotaExceededException": _QUOTA_REACHED,
}


class Aws:
    """Clients for one account and one region, created on first use."""

    def __init__(
        self, profile: str | None, region: str | None, environment: Mapping[str, str] = os.environ
    ) -> None:
        try:
            # boto3 itself ignores AWS_REGION, which CI and Fargate set.
            self._session = boto3.Session(
                profile_name=profile, region_name=region or environment.get("AWS_REGION")
            )
        except exceptions.ProfileNotFound as error:
            # A boto3 session would look up AWS_PROFILE and fail again; a botocore session does not.
            known = ", ".join(botocore.session.Session().available_profiles) or "none"
            raise InvalidUsage(f"{error}", f"pass an existing profile; available profiles: {known}") from None
        self.region = self._check_region(self._session.region_name)
        self._clients: dict[str, Any] = {}

    def _check_region(self, region: str | None) -> str:
        if not region:
            raise InvalidUsage("no region is set", "pass --region eu-central-1, or set AWS_REGION")
        regions = [
            name
            for partition in self._session.get_available_partitions()
            for name in self._session.get_available_regions("ecs", partition)
        ]
        if region not in regions:
            similar = difflib.get_close_matches(region, regions, n=1)
            raise InvalidUsage(
                f"{region!r} is not a region that offers ECS",
                f"did you mean {similar[0]}?" if similar else "pass a region such as --region eu-central-1",
            )
        return region

    @property
    def partition(self) -> str:
        """`aws`, or that of China or of a government."""
        return str(self._session.get_partition_for_region(self.region))

    def client(self, service: str) -> Any:
        if service not in self._clients:
            try:
                client = self._session.client(service, region_name=self.region, config=_CONFIG)
            except ValueError as error:  # `Invalid endpoint: …`
                raise InvalidUsage(
                    f"{error}", "AWS_ENDPOINT_URL must start with http:// or https://"
                ) from None
            self._clients[service] = client
        return self._clients[service]

    def identity(self) -> dict[str, str]:
        """The caller's account and ARN."""
        identity: dict[str, str] = self.client("sts").get_caller_identity()
        return identity

    @property
    def account(self) -> str:
        return self.identity()["Account"]


def code_of(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def explain_error(error: Exception) -> EcsError:
    """Turns one of AWS_ERRORS into one line that quotes AWS, and a next step."""
    if isinstance(error, exceptions.ClientError):
        return _explain_client_error(error)
    if isinstance(error, ResponseParserError):
        return _unexpected_response()
    message = " ".join(str(error).split())
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return InvalidUsage(
            "no AWS credentials were found",
            "run aws configure sso, pass --profile NAME, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            "in the environment",
        )
    if isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError):
        return InvalidUsage(
            f"the sign-in to AWS is missing or has expired: {message}", "sign in: aws sso login"
        )
    if isinstance(error, exceptions.CredentialRetrievalError):
        return InvalidUsage(message, "check the credential_process of the profile; it must print credentials")
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return EcsError(f"AWS cannot be reached: {message}", "check the internet connection and the region")
    return EcsError(message, _RUN_DOCTOR)


def _explain_client_error(error: exceptions.ClientError) -> EcsError:
    code, message = code_of(error), " ".join(message_of(error).split())
    if message.startswith("<"):
        return _unexpected_response()
    next_step = _NEXT_STEPS.get(code, _RUN_DOCTOR)
    if "Signature expired" in message or "Signature not yet current" in message:
        next_step = _CLOCK
    if "_IN_PROGRESS state" in message or re.match(r"Stack .*does not exist", message):
        next_step = _CONCURRENT_CHANGE
    denied = code.startswith(("AccessDenied", "Unauthorized")) or "Token" in code
    return EcsError(f"{message} ({error.operation_name}: {code})", next_step, status=2 if denied else 1)


def _unexpected_response() -> EcsError:
    return EcsError(
        "the response does not come from AWS: it is not in the format of the AWS API",
        "check AWS_ENDPOINT_URL, and whether a proxy answers in place of AWS",
    )
