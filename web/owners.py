"""/v1/owners: how much each owner has, for operators."""

import orjson

from jobs.queues.usage import UsageReader
from web.app import JsonResponse
from web.keys import ANONYMOUS, ApiKeys
from web.openapi.operation import Operation, ResponseSchema
from web.openapi.owner_schemas import OwnerListSchema
from web.requests import ApiRequest, require_json_accepted
from web.routing import route

PATH = "/v1/owners"


class OwnerRoutes:
    def __init__(self, usage: UsageReader, keys: ApiKeys) -> None:
        self._usage = usage
        self._keys = keys

    @route(
        "GET",
        PATH,
        Operation(
            "listOwners",
            "operators",
            "List the owners of keys, and how much each has",
            {200: ResponseSchema("The owners by name", OwnerListSchema, always=("Cache-Control",))},
            (406, 503),
        ),
    )
    def list(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        names = sorted({owner.name for owner in self._keys.owners.values()} or {ANONYMOUS.name})
        owners = [
            {
                "name": name,
                "predictions": holding.predictions,
                "batches": holding.batches,
                "rows_this_minute": holding.usage.rows,
                "kept_bytes": holding.usage.kept.size,
            }
            for name, holding in self._usage.holdings(names).items()
        ]
        listed = orjson.dumps({"object": "list", "data": owners})
        return JsonResponse(listed, headers={"Cache-Control": "no-store"})
