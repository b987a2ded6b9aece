"""Says what is wrong with the body of a request, and where."""

import codecs
import json
import re
from functools import reduce
from typing import Any, NoReturn

from pydantic import ValidationError

from model.description.catalog import Catalog
from model.description.manifest import Manifest
from model.description.schema import Fault, InvalidRows, member_of
from web.problems import Problem

MAX_EXPLAINED_ROWS = 100
MAX_INTEGER_DIGITS = 400
"""A longer integer is beyond every float, and slow to read."""
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*+"|(NaN|-?Infinity)')
_KINDS = {"missing": "missing", "extra_forbidden": "unknown"}
"""The kinds of faults, by their types in Pydantic."""


def parse_slowly(body: bytes) -> Any:
    """Parses what a fast parser refuses; raises Problem (400) if the body is not JSON.

    A byte order mark of UTF-8 is ignored. Numbers beyond any float are JSON; the schema refuses them with
    their pointer.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise _not_json("the body is empty; send JSON")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in body[:4]:
        raise _not_json("the body is not JSON in UTF-8: it begins like UTF-16; encode it as UTF-8")
    try:
        text = body.decode()
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_integer)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is not text
    except json.JSONDecodeError as error:
        raise _not_json(f"the body is not JSON: {_sentence(error)}") from None
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise _not_json(f"the body is not JSON: line {line} is not UTF-8; encode the body as UTF-8") from None
    except UnicodeError:
        raise _not_json("the body is not JSON: it has half a surrogate pair") from None
    except ValueError:
        raise _not_json(f"the body is not JSON: {_constant(text)} is not JSON; send null") from None
    except RecursionError:
        raise _not_json("the body is nested too deeply; rows are flat objects") from None
    return value


def _not_json(detail: str) -> Problem:
    return Problem(400, detail, reason="not_json")


def _sentence(error: json.JSONDecodeError) -> str:
    """What is wrong, and where; a comma before a closing bracket is found there or at the bracket."""
    comma = error.doc.rfind(",", 0, error.pos + 1)
    closing = error.doc[comma + 1 :].lstrip()[:1]
    if comma >= 0 and closing in ("}", "]") and not error.doc[comma + 1 : error.pos].strip():
        return f"there is a comma before {closing} {_position(error.doc, comma)}; remove it"
    return f"{error.msg}, {_position(error.doc, error.pos)}"


def _constant(text: str) -> str:
    """The first NaN or Infinity outside of strings, and where it is."""
    found = next((match for match in _STRING_OR_CONSTANT.finditer(text) if match[1]), None)
    return f"{found[1]} {_position(text, found.start())}," if found else "NaN or Infinity"


def _position(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    return f"at line {line}, column {offset - text.rfind(chr(10), 0, offset)}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _parse_integer(digits: str) -> float:
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else float(digits)


def faults_in(error: ValidationError) -> list[Fault]:
    return [
        Fault(_pointer(fault["loc"]), fault["msg"], _KINDS.get(fault["type"], "value"))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def faults_of_rows(sent: dict[str, Any], catalog: Catalog, found: set[str]) -> list[Fault]:
    """The faults of the rows and of `explain`, to be reported with those of other members."""
    inputs, model = sent.get("inputs"), sent.get("model")
    if "/inputs" in found or not (model is None or isinstance(model, str)):
        return []
    manifest = catalog.find(model)
    of_explain = explain_faults(manifest, inputs) if sent.get("explain") is True else []
    return of_explain + row_faults(manifest, inputs)


def explain_faults(manifest: Manifest, inputs: Any) -> list[Fault]:
    faults = []
    if not manifest.explained:
        faults.append(Fault("/explain", no_explanations(manifest)))
    if isinstance(inputs, list) and len(inputs) > MAX_EXPLAINED_ROWS:
        detail = f"must have at most {MAX_EXPLAINED_ROWS} rows if they are to be explained"
        faults.append(Fault("/inputs", detail))
    return faults


def no_explanations(manifest: Manifest) -> str:
    """What to say to a caller who wants the model explained that cannot be."""
    reason = f": {manifest.unexplained}" if manifest.unexplained else ""
    return f"{manifest.ref} gives no explanations{reason}"


def row_faults(manifest: Manifest, inputs: Any) -> list[Fault]:
    try:
        if isinstance(inputs, list):
            manifest.schema.check_rows(inputs)
        else:
            manifest.schema.check_row(inputs)
    except InvalidRows as error:
        return error.faults
    return []


def _pointer(location: tuple[int | str, ...]) -> str:
    return reduce(member_of, (str(part) for part in location if part != "[key]"), "")
