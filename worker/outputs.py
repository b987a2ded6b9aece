"""The output of each row, as the JSON that callers see."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from jobs.predictions.record import Row
from model.bundle import Bundle, Explanation, Outputs

Score: TypeAlias = Callable[[Sequence[Row]], list[bytes]]
"""Rows to their outputs, by one call of the model. If it raises, none of them has one."""

NOT_FINITE = orjson.dumps({"error": {"type": "not_finite", "detail": "the score is not a finite number"}})


def scores(bundle: Bundle) -> Score:
    """PredictionLoop, and whatever else the model gives."""

    def score(rows: Sequence[Row]) -> list[bytes]:
        matrix = bundle.encode(rows)
        return written(bundle.outputs(matrix), bundle.warnings(matrix))

    return score


def explained_scores(bundle: Bundle, computing: Executor) -> Score:
    """The same, and what each feature adds; the thread of `computing` works that out."""
    names = [orjson.dumps(name) for name in bundle.manifest.schema.names]

    def score(rows: Sequence[Row]) -> list[bytes]:
        matrix = bundle.encode(rows)
        why = explained(names, computing.submit(bundle.explain, matrix).result())
        return written(bundle.outputs(matrix), bundle.warnings(matrix), why)

    return score


def written(
    outputs: Outputs, warnings: dict[int, list[str]], why: Iterable[bytes] | None = None
) -> list[bytes]:
    """One object a row, of the members that the outputs have; `why` is a further one."""
    members = list(_members(outputs))
    if why is not None:
        members.append(list(why))
    texts = [b",".join(parts) for parts in zip(*members, strict=True)]
    for row, said in warnings.items():
        texts[row] += b',"warnings":' + orjson.dumps(said)
    rows = [b"{%b}" % text for text in texts]
    for row in np.flatnonzero(~_finite(outputs)).tolist():
        rows[row] = NOT_FINITE
    return rows


def explained(names: Sequence[bytes], explanation: Explanation) -> Iterable[bytes]:
    """The members `contributions` and `base` of each row; `names` are JSON."""
    for values, base in zip(_texts(explanation.contributions), _texts(explanation.base), strict=True):
        yield b'"contributions":%b,"base":%b' % (_object(names, values), base)


def _members(outputs: Outputs) -> Iterable[list[bytes]]:
    yield [b'"prediction":' + text for text in _texts(outputs.prediction)]
    if outputs.labels is not None:
        yield [b'"label":' + orjson.dumps(label) for label in outputs.labels]
    if outputs.probability is not None:
        yield [b'"probability":' + text for text in _texts(outputs.probability)]
    if outputs.probabilities is not None:
        classes = [orjson.dumps(name) for name in outputs.classes]
        yield [b'"probabilities":' + _object(classes, values) for values in _texts(outputs.probabilities)]
    if outputs.interval is not None:
        yield [b'"interval":[%b]' % b",".join(values) for values in _texts(outputs.interval)]


def _texts(values: NDArray[Any]) -> list[Any]:
    """JSON numbers, nested as the array is; float32 in the shortest form that reads back the same."""
    if not values.size:
        return []
    flat = orjson.dumps(np.ascontiguousarray(values).ravel(), option=orjson.OPT_SERIALIZE_NUMPY)
    texts = flat[1:-1].split(b",")
    if values.ndim == 1:
        return texts
    width = values.shape[1]
    return [texts[at : at + width] for at in range(0, len(texts), width)]


def _object(names: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    return b"{%b}" % b",".join([b"%b:%b" % pair for pair in zip(names, values, strict=True)])


def _finite(outputs: Outputs) -> NDArray[np.bool_]:
    finite = np.isfinite(outputs.prediction)
    for more in (outputs.probability, outputs.probabilities, outputs.interval):
        if more is not None:
            finite &= np.isfinite(more) if more.ndim == 1 else np.isfinite(more).all(axis=1)
    return finite
