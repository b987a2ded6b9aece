"""The services of the workers, wherever they run: how many tasks they have, and how many they should have."""

from typing import NamedTuple, Protocol

from web.keeper.need import Counts, ServiceCount


class FoundServices(NamedTuple):
    on_demand: ServiceCount
    spot: ServiceCount | None
    """None where Spot is not to be used."""


class WorkerServices(Protocol):
    """Every method may raise whatever the client raises."""

    def count(self) -> FoundServices: ...

    def ask(self, counts: Counts, before: Counts) -> None:
        """Asks for so many tasks where that differs from `before`."""
