"""The header of a request, read strictly (RFC 9112): what is doubtful is refused, never guessed."""

import re
from collections.abc import Iterator
from typing import BinaryIO

MOST_FIELDS = 100
LONGEST_LINE = 8192

_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\r\n")
_ONCE = frozenset({"content-length", "transfer-encoding", "host"})


class Header:
    """What gevent's server asks of a header. `status` is not empty if it is to be refused."""

    def __init__(self, file: BinaryIO) -> None:
        self.status = ""
        self._fields: dict[str, str] = {}
        for _ in range(MOST_FIELDS + 1):
            line = file.readline(LONGEST_LINE)
            if line == b"\r\n":
                break
            self._add(line)
            if self.status:
                return
        else:
            self.status = "too many fields"
        length = self._fields.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit()):
            self.status = "Content-Length is no number"
        if "transfer-encoding" in self._fields:
            self._check_encoding(self._fields["transfer-encoding"])

    def _add(self, line: bytes) -> None:
        match = _FIELD.fullmatch(line)
        if not match:
            self.status = "a line is no field, or is too long"
            return
        name, value = match[1].decode("ascii").lower(), match[2].decode("latin-1")
        if name not in self._fields:
            self._fields[name] = value
        elif name in _ONCE:
            self.status = f"{name} is there twice"
        else:
            self._fields[name] += f",{value}"

    def _check_encoding(self, encoding: str) -> None:
        if encoding.lower() != "chunked" or "content-length" in self._fields:
            self.status = "Transfer-Encoding is chunked, and then there is no Content-Length"

    def get(self, name: str, default: str | None = None) -> str | None:
        return self._fields.get(name.lower(), default)

    getheader = get

    @property
    def typeheader(self) -> str | None:
        return self._fields.get("content-type")

    def __delitem__(self, name: str) -> None:
        del self._fields[name]

    def variables(self) -> Iterator[tuple[str, str]]:
        """As WSGI has them. A name with an underscore could pass for another, and is left out."""
        for name, value in self._fields.items():
            if "_" not in name and name not in ("content-type", "content-length"):
                yield "HTTP_" + name.upper().replace("-", "_"), value
