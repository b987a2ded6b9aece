"""The client of Paygrade: scores rows, tables and files with the models that a Paygrade service serves.

`Client` and `AsyncClient` call a service. `save` writes a fitted scikit-learn pipeline as a bundle that the
service can serve.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paygrade.client import AsyncClient as AsyncClient
    from paygrade.client import Client as Client
    from paygrade.errors import ClientMisconfigured as ClientMisconfigured
    from paygrade.errors import Conflict as Conflict
    from paygrade.errors import ConnectionCut as ConnectionCut
    from paygrade.errors import InvalidInput as InvalidInput
    from paygrade.errors import InvalidRequest as InvalidRequest
    from paygrade.errors import JobFailed as JobFailed
    from paygrade.errors import JobUnfinished as JobUnfinished
    from paygrade.errors import KeyRefused as KeyRefused
    from paygrade.errors import NoAnswer as NoAnswer
    from paygrade.errors import NotFound as NotFound
    from paygrade.errors import PaygradeError as PaygradeError
    from paygrade.errors import RowsFailed as RowsFailed
    from paygrade.errors import RowsNotScored as RowsNotScored
    from paygrade.errors import ServiceBusy as ServiceBusy
    from paygrade.errors import ServiceRefused as ServiceRefused
    from paygrade.errors import Unreachable as Unreachable
    from paygrade.resources import Job as Job
    from paygrade.resources import Model as Model
    from paygrade.resources import Output as Output
    from paygrade.resources import Resource as Resource
    from paygrade.resources import Row as Row
    from paygrade.saving import SaveRefused as SaveRefused
    from paygrade.saving import save as save

__version__ = "0.1.0"

HOMES = {
    "paygrade.client": ("AsyncClient", "Client"),
    "paygrade.errors": (
        "ClientMisconfigured",
        "Conflict",
        "ConnectionCut",
        "InvalidInput",
        "InvalidRequest",
        "JobFailed",
        "JobUnfinished",
        "KeyRefused",
        "NoAnswer",
        "NotFound",
        "PaygradeError",
        "RowsFailed",
        "RowsNotScored",
        "ServiceBusy",
        "ServiceRefused",
        "Unreachable",
    ),
    "paygrade.resources": ("Job", "Model", "Output", "Resource", "Row"),
    "paygrade.saving": ("SaveRefused", "save"),
}
"""Where each name of this package is defined: the worker needs no HTTP, and calls need no NumPy."""

__all__ = [name for names in HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is first used."""
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
