"""Requests that went wrong, by number: the same number of the same seed is the same request."""

import gzip
import json
import random
from collections.abc import Callable
from typing import NamedTuple

BINARY = b'{"inputs":[{"name":"years","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}}]}'


class Post(NamedTuple):
    path: str
    body: bytes
    headers: dict[str, str]


def _json(path: str, body: object) -> Post:
    return Post(path, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _file(kind: str, body: bytes, query: str = "") -> Post:
    return Post(f"/v1/batches{query}", body, {"Content-Type": kind})


INFER = "/v2/models/salary/infer"
_TENSOR = {"name": "years", "shape": [2], "datatype": "FP64", "data": [2.5, 3]}
_CSV = b'id,years\na,2.5\nb,many\n"c",12.5\n'
_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="results"\r\n\r\ncsv\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    + _CSV
    + b"\r\n--x--\r\n"
)
POSTS = [
    _json("/v1/predictions", {"inputs": {"years": 2.5}}),
    _json(
        "/v1/predictions",
        {"inputs": [{"years": 2.5}, {"years": "3"}], "metadata": {"a": "b"}, "model": "salary@1"},
    ),
    _json("/v1/predictions", {"inputs": [{"years": 1}] * 40, "explain": True}),
    _json("/recms", {"years": "2.5"}),
    _json(INFER, {"inputs": [_TENSOR], "outputs": [{"name": "prediction"}], "id": "x"}),
    Post(INFER, BINARY + b"\0" * 16, {"Inference-Header-Content-Length": str(len(BINARY))}),
    _json(
        "/v1/batches",
        {"rows": [{"years": 1}, {"years": "x", "id": [1, {"a": None}]}], "metadata": {"a": "b"}},
    ),
    _json("/v1/batches", {"input": "s3://a/b.csv", "output": "s3://a/c", "results": "csv"}),
    _file("text/csv", _CSV, "?include_inputs=true&prefix=a_&missing=NA,?"),
    _file("application/x-ndjson", b'{"id": 1, "years": 2.5}\n{"years": null}\n[1]\n', "?results=parquet"),
    _file("application/gzip", gzip.compress(_CSV)),
    _file("application/vnd.apache.parquet", b"PAR1\x15\x04\x15\x10\x15\x14L\x15\x02PAR1"),
    _file("multipart/form-data; boundary=x", _FORM),
    _file("text/csv; charset=utf-16", "id;years\na;2,5\n".encode("utf-16")),
]
_PIECES = [
    *(b"null", b"NaN", b"-Infinity", b"1e999", b"-0", b"9" * 390, b"1" + b"0" * 5000, b"0.1e-400", b"true"),
    *(
        b'"\\ud800"',
        b'"\\u0000"',
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"\xf0\x9f\x98\x80",
        b"\r\n",
        b"\n\n",
    ),
    *(
        b"[" * 300,
        b"]" * 300,
        b'{"a":' * 1100,
        b"[" * 100_000,
        b'"' * 3,
        b"," * 5000,
        b";" * 100,
        b"'",
        b"--x",
    ),
    *(
        b'"inputs"',
        b'"rows"',
        b'"years"',
        b"x" * 70_000,
        b"{}",
        b"[]",
        b"[[1]]",
        b'{"years": 1}',
        b"\x1f\x8b",
        b"PK\x03\x04",
    ),
]
_VALUES = [
    *(
        "",
        "0",
        "-1",
        "wait=1",
        "wait=99999",
        "respond-async",
        "bytes=0-",
        "é",
        "a" * 2000,
        "*/*",
        "text/html",
        "gzip",
    ),
    *(
        "text/csv",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "\t",
        "1e9",
        "30s",
    ),
    *("chunked", '"', "application/json; charset=\x80", "%s%n", "../../x", "0x10", "99999999999999999999"),
]
_NAMES = [
    *(
        "Prefer",
        "Cancel-After",
        "Idempotency-Key",
        "Accept",
        "Accept-Encoding",
        "Content-Encoding",
        "Content-Type",
    ),
    *(
        "Range",
        "X-Request-ID",
        "Authorization",
        "X-API-Key",
        "Inference-Header-Content-Length",
        "X-Forwarded-Prefix",
    ),
]


def mutated_post(seed: int, number: int) -> bytes:
    """Valid HTTP with a body, headers and a query that went wrong."""
    dice = random.Random(f"{seed} {number}")  # noqa: S311
    post = dice.choice(POSTS)
    body, headers = post.body, dict(post.headers)
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        body = dice.choice(_CHANGES)(dice, body)
    for _ in range(dice.choice((0, 0, 1, 2))):
        headers[dice.choice(_NAMES)] = dice.choice(_VALUES)
    path = post.path
    if dice.random() < 0.2:
        path = (
            post.path.partition("?")[0]
            + "?"
            + "&".join(_option(dice) for _ in range(dice.choice((1, 2, 200))))
        )
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def raw_request(seed: int, number: int) -> bytes:
    """What may be no HTTP at all."""
    dice = random.Random(f"{seed} raw {number}")  # noqa: S311
    request = dice.choice(_RAW)(dice)
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        request = dice.choice(_CHANGES)(dice, request)
    return request


def _option(dice: random.Random) -> str:
    names = (
        "model",
        "results",
        "explain",
        "dry_run",
        "delimiter",
        "decimal",
        "encoding",
        "missing",
        "prefix",
        "wait",
        "a",
    )
    values = (
        "",
        "true",
        "csv",
        "parquet",
        "%00",
        "%ff",
        "%ED%A0%80",
        "salary",
        "tab",
        "utf-16",
        "x" * 30,
        "%F0%9F%98%80",
    )
    return f"{dice.choice(names)}={dice.choice(values)}"


def _flip(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data or b" ")
    for _ in range(dice.choice((1, 3, 20))):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _insert(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(_PIECES) + data[at:]


def _remove(dice: random.Random, data: bytes) -> bytes:
    start, end = sorted(dice.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[end:]


def _repeat(dice: random.Random, data: bytes) -> bytes:
    start, end = sorted(dice.randrange(len(data) + 1) for _ in range(2))
    return (
        data[:start] + data[start:end] * dice.choice((2, 3, 200)) + data[end:] if end - start < 5000 else data
    )


def _cut(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


_CHANGES: list[Callable[[random.Random, bytes], bytes]] = [_flip, _insert, _remove, _repeat, _cut]


def _posted(dice: random.Random) -> bytes:
    return mutated_post(1, dice.randrange(10**6))


def _got(dice: random.Random) -> bytes:
    paths = (
        "/",
        "/docs",
        "/v1/models",
        "/v1/predictions?limit=1",
        "/v1/predictions/x",
        "/healthz",
        "/%00",
        "//",
        "*",
        "/..",
    )
    methods = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PUT", "get", "G\0T")
    versions = ("HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.x", "HTTP/1.99", "")
    line = f"{dice.choice(methods)} {dice.choice(paths)} {dice.choice(versions)}"
    return f"{line}\r\nHost: localhost\r\n\r\n".encode() * dice.choice((1, 1, 3))


def _chunked(dice: random.Random) -> bytes:
    body = dice.choice(POSTS).body
    size = dice.choice(
        (f"{len(body):x}", "0", "ffffffffffffffff", "-1", "zz", f"{len(body):x};x=y", "7fffffff", "")
    )
    encoding = dice.choice(
        ("chunked", "Chunked", "gzip, chunked", "identity", "chunked\r\nContent-Length: 5")
    )
    head = (
        f"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {encoding}\r\n\r\n{size}\r\n"
    )
    return (
        head.encode()
        + body
        + dice.choice((b"\r\n0\r\n\r\n", b"\r\n0\r\nX: y\r\n\r\n", b"\r\n", b"0\r\n\r\n"))
    )


def _lying(dice: random.Random) -> bytes:
    length = dice.choice(("5", "999999", "4194305", "-1", "+5", "5,5", "0x5", "9" * 30, "9" * 5000, ""))
    body = dice.choice(POSTS).body
    return f"POST /recms HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode() + body


def _noise(dice: random.Random) -> bytes:
    return dice.randbytes(dice.choice((1, 20, 300, 20_000)))


_RAW: list[Callable[[random.Random], bytes]] = [_posted, _got, _chunked, _lying, _noise]
