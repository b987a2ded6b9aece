"""/v1/dead: what was given up, for operators: list, show, replay and drop."""

from itertools import islice
from typing import Any

import orjson

from jobs.dead.letters import DeadLetters
from jobs.dead.resource import PATH, dead_letter
from jobs.queues.names import BATCH, PREDICTION
from web.app import JsonResponse
from web.capacity_watch import CapacityWatch
from web.errors import QueueNotServed
from web.lists import read_limit
from web.openapi.dead_schemas import DeadLetterListSchema, DeadLetterSchema, ReplayedSchema
from web.openapi.operation import Operation, ResponseSchema
from web.openapi.parameters import LIMIT, in_path
from web.requests import ApiRequest, require_json_accepted
from web.routing import route

_ONE = in_path("letter_id", "`id` of the letter", {"type": "string"})
_STORED = ("Cache-Control",)


class DeadLetterRoutes:
    def __init__(self, letters: DeadLetters, watch: CapacityWatch) -> None:
        self._letters = letters
        self._watch = watch

    @route(
        "GET",
        PATH,
        Operation(
            "listDeadLetters",
            "operators",
            "List what was given up, newest first",
            {200: ResponseSchema("The newest letters", DeadLetterListSchema, always=_STORED)},
            (406, 503),
            parameters=(LIMIT,),
        ),
    )
    def list(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        letters = islice(self._letters.all(), read_limit(request))
        return _json({"object": "list", "data": [dead_letter(letter) for letter in letters]})

    @route(
        "GET",
        f"{PATH}/<letter_id>",
        Operation(
            "showDeadLetter",
            "operators",
            "Show what was given up",
            {200: ResponseSchema("The letter", DeadLetterSchema, always=_STORED)},
            (404, 406, 503),
            parameters=(_ONE,),
        ),
    )
    def show(self, request: ApiRequest, letter_id: str) -> JsonResponse:
        require_json_accepted(request)
        return _json(dead_letter(self._letters.find(letter_id)))

    @route(
        "POST",
        f"{PATH}/<letter_id>/replay",
        Operation(
            "replayDeadLetter",
            "operators",
            "Try it again: a job as a new job, a webhook as it is",
            {200: ResponseSchema("It is tried again", ReplayedSchema, always=_STORED)},
            (404, 406, 409, 422, 429, 501, 503),
            parameters=(_ONE,),
        ),
    )
    def replay(self, request: ApiRequest, letter_id: str) -> JsonResponse:
        require_json_accepted(request)
        self._letters.find(letter_id)
        for kind in (PREDICTION, BATCH):
            if letter_id.startswith(kind.id_prefix) and kind.name not in self._watch.served:
                raise QueueNotServed(kind)
        return _json({"id": letter_id, "replayed_as": self._letters.replay(letter_id)})

    @route(
        "DELETE",
        f"{PATH}/<letter_id>",
        Operation(
            "dropDeadLetter",
            "operators",
            "Take it off the list; its job stays until it expires",
            {204: ResponseSchema("It is off the list")},
            (404, 503),
            parameters=(_ONE,),
        ),
    )
    def drop(self, request: ApiRequest, letter_id: str) -> JsonResponse:
        self._letters.drop(letter_id)
        return JsonResponse(status=204)


def _json(content: dict[str, Any]) -> JsonResponse:
    return JsonResponse(orjson.dumps(content), headers={"Cache-Control": "no-store"})
