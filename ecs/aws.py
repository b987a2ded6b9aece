"""Clients of AWS, and its errors in a line."""

import difflib
import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from ecs.errors import BadInput, EcsError

_CONFIG = Config(
    # Standard mode backs off with jitter; describing a busy stack is what AWS throttles first.
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="paygrade-ecs",
)
_QUOTA = "a quota is full: remove what is not needed, or ask for more in Service Quotas"
_NEXT_STEPS = {
    "ExpiredToken": "sign in again: aws sso login, or new credentials",
    "ExpiredTokenException": "sign in again: aws sso login, or new credentials",
    "InvalidClientTokenId": "these credentials are unknown to AWS; are they of another account or profile?",
    "UnrecognizedClientException": "is the region enabled for this account? else the credentials are unknown",
    "SignatureDoesNotMatch": "the secret key is not that of the access key",
    "AccessDenied": "python -m ecs doctor lists the rights that are missing",
    "AccessDeniedException": "python -m ecs doctor lists the rights that are missing",
    "UnauthorizedOperation": "python -m ecs doctor lists the rights that are missing",
    "Throttling": "AWS asks for patience; what was begun goes on: run the same again in a minute",
    "ThrottlingException": "AWS asks for patience; what was begun goes on: run the same again in a minute",
    "RequestLimitExceeded": "AWS asks for patience; what was begun goes on: run the same again in a minute",
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
            known = ", ".join(boto3.Session().available_profiles) or "none"
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
            self._clients[service] = self._session.client(service, region_name=self.region, config=_CONFIG)
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


def in_a_line(error: exceptions.BotoCoreError | exceptions.ClientError) -> EcsError:
    """AWS's own words, and what to do."""
    if isinstance(error, exceptions.ClientError):
        code = code_of(error)
        said = " ".join(message_of(error).split())
        denied = code.startswith(("AccessDenied", "Unauthorized"))
        return EcsError(
            f"{said} ({error.operation_name}: {code})",
            _NEXT_STEPS.get(code, ""),
            status=2 if denied or "Token" in code else 1,
        )
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return BadInput(
            "AWS does not know who you are: no credentials were found",
            "aws configure sso, or --profile NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if isinstance(error, exceptions.EndpointConnectionError | exceptions.ConnectTimeoutError):
        return EcsError(
            f"AWS cannot be reached: {error}", "is there a way out to the internet, and is the region right?"
        )
    if isinstance(error, exceptions.TokenRetrievalError | exceptions.UnauthorizedSSOTokenError):
        return BadInput(f"signing in has lapsed: {error}", "aws sso login")
    return EcsError(" ".join(str(error).split()))
