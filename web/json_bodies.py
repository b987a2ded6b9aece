"""Says what is wrong with a body of JSON, and where."""

import codecs
import json
import re
from typing import Any, NoReturn

from web.problems import Problem

MAX_INTEGER_DIGITS = 400
"""A longer integer is beyond every float, and slow to read."""
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*+"|(NaN|-?Infinity)')


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
