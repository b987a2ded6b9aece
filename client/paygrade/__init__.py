"""The client of Paygrade: scores rows and files with the models that a Paygrade service serves."""

from paygrade.client import Client
from paygrade.errors import (
    ClientMisconfigured,
    Conflict,
    ConnectionCut,
    JobFailed,
    JobUnfinished,
    KeyRefused,
    NoAnswer,
    NotFound,
    PaygradeError,
    ServiceBusy,
    ServiceRefused,
    Unreachable,
)
from paygrade.transport import Resource

__version__ = "0.1.0"

__all__ = [
    "Client",
    "ClientMisconfigured",
    "Conflict",
    "ConnectionCut",
    "JobFailed",
    "JobUnfinished",
    "KeyRefused",
    "NoAnswer",
    "NotFound",
    "PaygradeError",
    "Resource",
    "ServiceBusy",
    "ServiceRefused",
    "Unreachable",
]
