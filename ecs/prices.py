"""The prices of AWS: the lists of one region, on one day. No other module knows a price."""

from typing import NamedTuple

DAY = "28 November 2026"
REGION = "us-east-1"
PRICE_LISTS = f"AWS price lists for {REGION}, November 2026"
HOURS_PER_MONTH = 730
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600


class Price(NamedTuple):
    """In USD for one unit."""

    usd: float
    unit: str
    page: str
    """Where AWS publishes it."""


_FARGATE = "aws.amazon.com/fargate/pricing"
_BALANCER = "aws.amazon.com/elasticloadbalancing/pricing"
_VPC = "aws.amazon.com/vpc/pricing"
_EFS = "aws.amazon.com/efs/pricing"
_S3 = "aws.amazon.com/s3/pricing"
_CLOUDWATCH = "aws.amazon.com/cloudwatch/pricing"
_SECRETS = "aws.amazon.com/secrets-manager/pricing"
_ELASTICACHE = "aws.amazon.com/elasticache/pricing"

VCPU = {"X86_64": Price(0.04048, "vCPU-hour", _FARGATE), "ARM64": Price(0.03238, "vCPU-hour", _FARGATE)}
MEMORY = {"X86_64": Price(0.004445, "GB-hour", _FARGATE), "ARM64": Price(0.00356, "GB-hour", _FARGATE)}
SPOT_SHARE = 0.32
"""The share of the price on demand that Spot costs. AWS changes it; about a third over the last years."""
ADDRESS = Price(0.005, "address-hour", _VPC)
LOAD_BALANCER = Price(0.0225, "hour", _BALANCER)
CAPACITY_UNIT = Price(0.008, "unit-hour", _BALANCER)
"""Of a load balancer: 25 new connections a second, or 1 GB in an hour, whichever is more."""
API = Price(1.00, "million requests", "aws.amazon.com/api-gateway/pricing")
NAT = Price(0.045, "hour", _VPC)
NAT_DATA = Price(0.045, "GB", _VPC)
ENDPOINT = Price(0.01, "endpoint-hour", "aws.amazon.com/privatelink/pricing")
"""For each zone."""
FILE_SYSTEM = Price(0.30, "GB-month", _EFS)
FILE_SYSTEM_WRITES = Price(0.06, "GB", _EFS)
FILE_SYSTEM_BACKUP = Price(0.05, "GB-month", "aws.amazon.com/backup/pricing")
OBJECTS = Price(0.023, "GB-month", _S3)
OBJECT_WRITES = Price(5.00, "million", _S3)
OBJECT_READS = Price(0.40, "million", _S3)
IMAGES = Price(0.10, "GB-month", "aws.amazon.com/ecr/pricing")
NODES = {
    "cache.t4g.micro": Price(0.0128, "node-hour", _ELASTICACHE),
    "cache.t4g.small": Price(0.0256, "node-hour", _ELASTICACHE),
    "cache.t4g.medium": Price(0.052, "node-hour", _ELASTICACHE),
    "cache.r7g.large": Price(0.1752, "node-hour", _ELASTICACHE),
    "cache.r7g.xlarge": Price(0.3496, "node-hour", _ELASTICACHE),
}
"""With Valkey."""
SNAPSHOTS = Price(0.085, "GB-month", _ELASTICACHE)
LOGS = Price(0.50, "GB", _CLOUDWATCH)
METRIC = Price(0.30, "metric-month", _CLOUDWATCH)
ALARM = Price(0.10, "alarm-month", _CLOUDWATCH)
DASHBOARD = Price(3.00, "dashboard-month", _CLOUDWATCH)
"""The first three of an account cost nothing."""
SECRET = Price(0.40, "secret-month", _SECRETS)
SECRET_READS = Price(5.00, "million", _SECRETS)
KEY = Price(1.00, "key-month", "aws.amazon.com/kms/pricing")
KEY_USES = Price(3.00, "million", "aws.amazon.com/kms/pricing")
ZONE = Price(0.50, "zone-month", "aws.amazon.com/route53/pricing")
QUEUE = Price(0.40, "million", "aws.amazon.com/sqs/pricing")
EVENTS = Price(1.00, "million", "aws.amazon.com/eventbridge/pricing")
EMAILS = Price(20.00, "million", "aws.amazon.com/sns/pricing")
"""The first thousand of a month cost nothing."""


def nat_month() -> float:
    """In one zone."""
    return NAT.usd * HOURS_PER_MONTH


def endpoints_month(count: int, zones: int = 2) -> float:
    return count * zones * ENDPOINT.usd * HOURS_PER_MONTH
