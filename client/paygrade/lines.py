"""Lines and rows out of pieces, as they arrive."""

import csv
from collections.abc import AsyncGenerator
from contextlib import aclosing
from io import StringIO

from paygrade.resources import Row


async def whole_lines(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Each line with its end."""
    rest = b""
    async with aclosing(pieces):
        async for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line + b"\n"
    if rest:
        yield rest


async def csv_rows(lines: AsyncGenerator[bytes, None]) -> AsyncGenerator[Row, None]:
    """A text may have line ends within its quotes; it ends with the line in which its quotes are even."""
    names: list[str] = []
    record = ""
    async with aclosing(lines):
        async for line in lines:
            record += line.decode()
            if record.count('"') % 2:
                continue
            fields = next(csv.reader(StringIO(record, newline=""), strict=True))
            record = ""
            if names:
                yield dict(zip(names, fields, strict=True))
            else:
                names = fields
