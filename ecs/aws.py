"""Clients of AWS, and its errors in a line."""

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

from ecs.errors import BadInput, EcsError

_CONFIG = Config(
    # Standard mode backs off with jitter; describing a busy stack is what AWS throttles first.
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="paygrade-ecs",
)
AWS_ERRORS = (exceptions.BotoCoreError, exceptions.ClientError, ResponseParserError)
_UNKNOWN = "these credentials are unknown to AWS; are they of another account or profile?"
_RIGHTS = "python -m ecs doctor lists the rights that are missing"
_PATIENCE = "AWS asks for patience; what was begun goes on: run the same again in a minute"
_MEANWHILE = "somebody else changes this deployment too; run the same again"
_QUOTA = "a quota is full: remove what is not needed, or ask for more in Service Quotas"
_NEXT_STEPS = {
    "ExpiredToken": "sign in again: aws sso login, or new credentials",
    "ExpiredTokenException": "sign in again: aws sso login, or new credentials",
    "InvalidClientTokenId": _UNKNOWN,
    "InvalidAccessKeyId": _UNKNOWN,
    "UnrecognizedClientException": "is the region enabled for this account? else the credentials are unknown",
    "SignatureDoesNotMatch": "the secret key is not that of the access key",
    "AccessDenied": _RIGHTS,
    "AccessDeniedException": _RIGHTS,
    "UnauthorizedOperation": _RIGHTS,
    "403": _RIGHTS,
    "Throttling": _PATIENCE,
    "ThrottlingException": _PATIENCE,
    "RequestLimitExceeded": _PATIENCE,
    "ChangeSetNotFound": _MEANWHILE,
    "InvalidChangeSetStatus": _MEANWHILE,
    "LimitExceededException": _QUOTA,
    "ServiceQuotaExceededException": _QUOTA,
}


class Aws:
    """One account, one region. Clients are made as they are asked for."""

    def __init__(
        self, profile: str | None, region: str | None, environment: Mapping[str, str] = os.environ
    ) -> None:
        try:
            # boto3 itself does not look at AWS_REGION, which is what CI and Fargate set.
            self._session = boto3.Session(
                profile_name=profile, region_name=region or environment.get("AWS_REGION")
            )
        except exceptions.ProfileNotFound as error:
            # Asked of botocore: a session of boto3 looks for AWS_PROFILE at once, and fails again.
            known = ", ".join(botocore.session.Session().available_profiles) or "none"
            raise BadInput(f"{error}", f"profiles that are there: {known}") from None
        self.region = self._known(self._session.region_name)
        self._clients: dict[str, Any] = {}

    def _known(self, region: str | None) -> str:
        if not region:
            raise BadInput("no region is set", "pass --region eu-central-1, or set AWS_REGION")
        regions = [
            name
            for partition in self._session.get_available_partitions()
            for name in self._session.get_available_regions("ecs", partition)
        ]
        if region not in regions:
            near = difflib.get_close_matches(region, regions, n=1)
            raise BadInput(
                f"{region} is not a region that has ECS",
                f"did you mean {near[0]}?" if near else "as in --region eu-central-1",
            )
        return region

    def client(self, service: str) -> Any:
        if service not in self._clients:
            try:
                made = self._session.client(service, region_name=self.region, config=_CONFIG)
            except ValueError as error:  # `Invalid endpoint: …`
                raise BadInput(f"{error}", "AWS_ENDPOINT_URL begins with http:// or https://") from None
            self._clients[service] = made
        return self._clients[service]

    def identity(self) -> dict[str, str]:
        """Account and ARN of whoever we are."""
        identity: dict[str, str] = self.client("sts").get_caller_identity()
        return identity

    @property
    def account(self) -> str:
        return self.identity()["Account"]


def code_of(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def in_a_line(error: Exception) -> EcsError:
    """One of AWS_ERRORS in AWS's own words, and what to do."""
    if isinstance(error, exceptions.ClientError):
        return _refusal(error)
    if isinstance(error, ResponseParserError):
        return _not_aws()
    said = " ".join(str(error).split())
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return BadInput(
            "AWS does not know who you are: no credentials were found",
            "aws configure sso, or --profile NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError):
        return BadInput(f"you are not signed in, or no longer: {said}", "aws sso login")
    if isinstance(error, exceptions.CredentialRetrievalError):
        return BadInput(said, "the credential_process of the profile must print credentials")
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return EcsError(
            f"AWS cannot be reached: {said}", "is there a way out to the internet, and is the region right?"
        )
    return EcsError(said, "python -m ecs doctor looks for the usual causes")


def _refusal(error: exceptions.ClientError) -> EcsError:
    code, said = code_of(error), " ".join(message_of(error).split())
    if said.startswith("<"):
        return _not_aws()
    step = _NEXT_STEPS.get(code, "python -m ecs doctor looks for the usual causes")
    if "_IN_PROGRESS state" in said or re.match(r"Stack .*does not exist", said):
        step = _MEANWHILE
    denied = code.startswith(("AccessDenied", "Unauthorized")) or "Token" in code
    return EcsError(f"{said} ({error.operation_name}: {code})", step, status=2 if denied else 1)


def _not_aws() -> EcsError:
    return EcsError(
        "what answers does not speak as AWS does", "is AWS_ENDPOINT_URL right, is there a proxy between?"
    )
