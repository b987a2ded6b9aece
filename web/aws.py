"""Makes clients of AWS. Import this module only where one is needed: boto3 takes a quarter of a second."""

import os
from typing import Any

import boto3.session
from botocore.config import Config


def make_client(service: str, config: Config) -> Any:
    """boto3 finds the credentials. It would not find the region on ECS, which sets AWS_REGION only."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return boto3.session.Session().client(service, region_name=region, config=config)
