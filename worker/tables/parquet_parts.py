"""Parquet files of one schema as one file: their data one after the other, and a footer that lists all of it.

The footer is Thrift in its compact form. It is copied field by field. What changes are the number of rows and
the offsets, because the data has moved.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

MAGIC = b"PAR1"
_LENGTH = struct.Struct("<I")
END_BYTES = _LENGTH.size + len(MAGIC)
"""What follows the footer: its length, and MAGIC."""

_FALSE, _TRUE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = (
    2, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
)  # fmt: skip
_SCHEMA, _NUM_ROWS, _ROW_GROUPS = 2, 3, 4
"""Fields of the footer."""

Change = Callable[[int], int] | Mapping[int, Any] | None
"""What becomes of a value: a function changes a number; fields, by number, a struct, or each in a list."""


def footer_length(end: bytes) -> int:
    """`end` are the last END_BYTES of a file."""
    length: int = _LENGTH.unpack_from(end)[0]
    return length


class _Footer(NamedTuple):
    """The fields of a footer by number, each as its type and its bytes; and its row groups."""

    fields: dict[int, tuple[int, bytes]]
    rows: int
    groups: int
    group_bytes: bytes


class FooterJoiner:
    """Adds one footer after the other."""

    def __init__(self) -> None:
        self._first: _Footer | None = None
        self._rows = self._groups = 0
        self._group_bytes: list[bytes] = []

    def add(self, footer: bytes, moved: int) -> None:
        """`moved` is how many bytes the data of the file have moved. Raises ValueError for another schema."""
        read = _read(footer, moved, self._groups)
        self._first = self._first or read
        if read.fields[_SCHEMA] != self._first.fields[_SCHEMA]:
            raise ValueError("the parts have different schemas")
        self._rows += read.rows
        self._groups += read.groups
        self._group_bytes.append(read.group_bytes)

    def end(self) -> bytes:
        """What follows the data in the joined file."""
        if not self._first:
            raise ValueError("there are no parts")
        groups = _list_header(_STRUCT, self._groups) + b"".join(self._group_bytes)
        changed = {_NUM_ROWS: (_I64, _varint(_zigzag(self._rows))), _ROW_GROUPS: (_LIST, groups)}
        footer, last = bytearray(), 0
        for number, (kind, data) in sorted((self._first.fields | changed).items()):
            footer += _field_header(number - last, kind) + data
            last = number
        footer.append(0)
        return bytes(footer) + _LENGTH.pack(len(footer)) + MAGIC


def _read(footer: bytes, moved: int, groups_before: int) -> _Footer:
    copier, fields, number, groups = _Copier(footer), dict[int, tuple[int, bytes]](), 0, 0
    while header := copier.byte():
        kind = header & 15
        number = number + (header >> 4) if header >> 4 else copier.zigzag()
        begin = len(copier.copied)
        if number == _ROW_GROUPS:
            groups, _ = copier.list_header()
            for _ in range(groups):
                copier.copy(_STRUCT, _changes(moved, groups_before))
        else:
            copier.copy(kind, None)
        fields[number] = kind, bytes(copier.copied[begin:])
    rows = _Copier(fields[_NUM_ROWS][1]).zigzag()
    return _Footer(fields, rows, groups, fields[_ROW_GROUPS][1])


def _changes(moved: int, groups_before: int) -> Change:
    """The changes of a row group: the offsets of its columns and its own, and its number."""

    def move(offset: int) -> int:
        return offset + moved if offset else 0  # 0 stands for no such offset

    def renumber(ordinal: int) -> int:
        return (ordinal + groups_before) & 0x7FFF

    column = {2: move, 3: {9: move, 10: move, 11: move, 14: move}, 4: move, 6: move}
    return {1: column, 5: move, 7: renumber}


class _Copier:
    """Copies values of Thrift's compact protocol, some of them changed, to `copied`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.copied = bytearray()

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def list_header(self) -> tuple[int, int]:
        """The number of elements and their type."""
        header = self.byte()
        return (header >> 4 if header >> 4 < 15 else self._varint()), header & 15

    def copy(self, kind: int, change: Change) -> None:
        if kind in (_I16, _I32, _I64):
            value = self.zigzag()
            self.copied += _varint(_zigzag(change(value) if callable(change) else value))
        elif kind == _BINARY:
            length = self._varint()
            self.copied += _varint(length)
            self._take(length)
        elif kind in (_LIST, _SET):
            self._copy_list(change)
        elif kind == _STRUCT:
            self._copy_struct(change if isinstance(change, Mapping) else {})
        else:
            self._take({_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}[kind])  # no footer has maps

    def _copy_list(self, change: Change) -> None:
        number, kind = self.list_header()
        self.copied += _list_header(kind, number)
        for _ in range(number):
            if kind in (_TRUE, _FALSE):
                self._take(1)
            else:
                self.copy(kind, change)

    def _copy_struct(self, changes: Mapping[int, Any]) -> None:
        number = 0
        while header := self.byte():
            self.copied.append(header)
            if header >> 4:
                number += header >> 4
            else:
                number = self.zigzag()
                self.copied += _varint(_zigzag(number))
            self.copy(header & 15, changes.get(number))
        self.copied.append(0)

    def _take(self, length: int) -> None:
        self.copied += self._data[self._at : self._at + length]
        self._at += length

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _list_header(kind: int, number: int) -> bytes:
    return bytes([number << 4 | kind]) if number < 15 else bytes([0xF0 | kind]) + _varint(number)


def _field_header(delta: int, kind: int) -> bytes:
    return bytes([delta << 4 | kind]) if delta < 16 else bytes([kind]) + _varint(_zigzag(delta))
