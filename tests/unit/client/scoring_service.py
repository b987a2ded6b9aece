"""A service with one model, `salary`, that scores what it is sent: ten times the years, in float32."""

import json
from typing import Any

import httpx
import numpy as np

from tests.unit.client.played_service import PlayedAnswer, PlayedService, batch, prediction

ANY_TEXT = {"type": ["string", "null"]}
MODEL = {
    "name": "salary",
    "version": 3,
    "default": True,
    "scores": "float32",
    "row": {"properties": {"years": {"type": "number"}, "level": ANY_TEXT}, "required": ["years"]},
}


def score_of(row: dict[str, Any]) -> str:
    """In the shortest digits that are the same float32. Raises ValueError, as float does."""
    return str(np.float32(float(row["years"])) * np.float32(10))


class ScoringService(PlayedService):
    def __init__(self, **model: Any) -> None:
        super().__init__(PlayedAnswer(200))
        self.rows: list[dict[str, Any]] = []
        self._model = {**MODEL, **model}

    def _next_answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        match request.method, request.url.path.rpartition("/")[2]:
            case "GET", "models":
                return self._answer({"data": [self._model]})
            case "GET", "salary":
                return self._answer(self._model)
            case "POST", "predictions":
                self.rows = json.loads(request.content)["inputs"]
                return self._answer(self._prediction())
            case "POST", "batches":
                self.rows = [json.loads(line) for line in request.content.splitlines()]
                return self._answer(batch("validating"))
            case "GET", "results":
                return httpx.Response(200, content=b"".join(map(_line, self.rows)))
        counts = {"total": len(self.rows), "succeeded": len(self.rows), "failed": 0}
        return self._answer(batch("succeeded") | {"counts": counts})

    def _prediction(self) -> dict[str, Any]:
        outputs = [json.loads(f'{{"prediction": {score_of(row)}}}') for row in self.rows]
        return prediction("succeeded", outputs=outputs)  # type: ignore[no-any-return]

    def _answer(self, resource: dict[str, Any]) -> httpx.Response:
        return httpx.Response(200, json=resource)


def _line(row: dict[str, Any]) -> bytes:
    try:
        return f'{{"prediction":{score_of(row)},"warnings":null,"error":null}}\n'.encode()
    except (TypeError, ValueError):
        return b'{"prediction":null,"warnings":null,"error":"years must be a number"}\n'
