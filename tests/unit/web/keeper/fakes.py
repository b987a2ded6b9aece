"""ECS as the keeper sees it, without AWS."""

from web.keeper.need import Counts, ServiceCount
from web.keeper.services import FoundServices, WorkerServices


class FakeServices(WorkerServices):
    """Services that obey at once, and fail while `failure` is set."""

    def __init__(self, on_demand: int = 0, spot: int | None = None) -> None:
        self.found = FoundServices(
            ServiceCount(on_demand, on_demand), None if spot is None else ServiceCount(spot, spot)
        )
        self.asked: list[Counts] = []
        self.failure: Exception | None = None

    def count(self) -> FoundServices:
        if self.failure:
            raise self.failure
        return self.found

    def ask(self, counts: Counts, before: Counts) -> None:
        if self.failure:
            raise self.failure
        self.asked.append(counts)
        on_demand, spot = self.found
        if counts.on_demand != before.on_demand:
            on_demand = ServiceCount(counts.on_demand, counts.on_demand)
        if spot is not None and counts.spot != before.spot:
            spot = ServiceCount(counts.spot, counts.spot)
        self.found = FoundServices(on_demand, spot)
