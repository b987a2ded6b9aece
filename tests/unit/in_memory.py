"""A Redis in memory that runs the real scripts and holds every change of a job to its status table.

The commands are those of fakeredis. What it has around them takes longer than they do, and is left out:
a wire, a pool of connections, measurements, notices of changed keys, and scripts compiled at each call.
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from queue import SimpleQueue
from typing import Any, NamedTuple

from fakeredis import FakeRedis, FakeRedisConnection
from fakeredis import _msgs as messages
from fakeredis._commands import COMMANDS_WITH_SUB, SUPPORTED_COMMANDS, Key, Signature
from fakeredis._core import CommandItem
from fakeredis._helpers import SimpleError
from fakeredis._socket import FakeSocket
from fakeredis._socket._resp import convert_to_resp2
from fakeredis.commands_mixins.scripting_mixin import _convert_redis_arg
from redis.commands.core import Script

from jobs.batches.status import BATCH_TRANSITIONS, BatchStatus
from jobs.predictions.status import TRANSITIONS, PredictionStatus
from tests.unit.lua import Lua

_RECORD = re.compile(rb"job:(pred|batch)_[^:]+")
_FIRST: dict[bytes, StrEnum] = {b"pred": PredictionStatus.QUEUED, b"batch": BatchStatus.VALIDATING}
_TABLES: dict[bytes, Mapping[Any, frozenset[Any]]] = {b"pred": TRANSITIONS, b"batch": BATCH_TRANSITIONS}
_WRITES = frozenset({b"HSET", b"HSETNX", b"HINCRBY", b"HDEL", b"DEL", b"PEXPIRE"})
_SAME = frozenset({bytes, int, type(None)})
"""Types of replies that every protocol has."""


class IllegalChange(AssertionError):
    """A script changed a job in a way that the table of its statuses does not have."""


class MemoryRedis(FakeRedis):
    """The fake knows no flags of scripts (#!lua ...), and is never out of memory."""

    def __init__(self, **options: Any) -> None:
        super().__init__(connection_class=_Connection, **options)
        self._own = threading.local()

    def register_script(self, script: Any) -> Script:
        flags, _, text = script.partition("\n")
        return super().register_script(text if flags.startswith("#!") else script)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Each thread has a connection of its own."""
        if not hasattr(self._own, "connection"):
            self._own.connection = self.connection_pool.make_connection()
        self._own.connection.send_command(*args)
        return super().parse_response(self._own.connection, args[0], **options)  # type: ignore[no-untyped-call]


class _Connection(FakeRedisConnection):
    """Hands commands to its socket as lists of bytes."""

    def _connect(self) -> FakeSocket:
        socket: Any = super()._connect()
        socket.__class__ = _Socket
        socket.responses = SimpleQueue()
        connected: FakeSocket = socket
        return connected

    def send_command(self, *args: Any, **_: Any) -> None:
        super().send_packed_command(self.pack_commands([args]))  # type: ignore[no-untyped-call]

    def pack_command(self, *args: Any) -> Any:
        return self.pack_commands([args])

    def pack_commands(self, commands: Iterable[Any]) -> Any:
        encode: Any = self.encoder.encode
        return [
            [*_words(name), *[each if type(each) is bytes else encode(each) for each in args]]
            for name, *args in commands
        ]


@cache
def _words(name: str) -> list[bytes]:
    return name.encode().split()


@cache
def _lua() -> Lua:
    return Lua()


class _Plan(NamedTuple):
    """What a command does with its arguments, by their positions."""

    steps: tuple[tuple[int, Any], ...]
    """These are converted; or the command ends, since there is no such key."""
    keys: tuple[tuple[int, type[Any] | None, bool], ...]
    """The type of value that each key may have, and whether one is made for it."""
    is_converted: bool
    """Whether the reply has types that RESP2 lacks."""

    @classmethod
    def of(cls, signature: Signature, arguments: int) -> "_Plan":
        """For so many arguments."""
        kinds: list[Any] = list(signature.fixed)
        while len(kinds) < arguments:
            kinds += signature.repeat
        makes = messages.FLAG_DO_NOT_CREATE not in signature.flags
        return cls(
            tuple((at, kind) for at, kind in enumerate(kinds) if _is_step(kind)),
            tuple(
                (at, kind.type_, makes and kind.type_ not in (None, bytes))
                for at, kind in enumerate(kinds)
                if isinstance(kind, Key)
            ),
            messages.FLAG_SKIP_CONVERT_TO_RESP2 not in signature.flags,
        )


def _is_step(kind: Any) -> bool:
    return kind.missing_return is not Key.UNSPECIFIED if isinstance(kind, Key) else kind is not bytes


@cache
def _plan(signature: Signature, arguments: int) -> _Plan:
    signature.check_arity(range(arguments), (8,))
    return _Plan.of(signature, arguments)


class _Socket(FakeSocket):
    """Checks each command of a script that writes a record: so each step of a script counts."""

    def sendall(self, command: Any) -> None:
        if not self._server.connected:
            raise self._connection_error_class(messages.CONNECTION_ERROR_MSG)
        self._process_command(command)

    def add_subkey_event(self, *_: Any) -> None:
        pass

    def eval(self, script: bytes, numkeys: int, *arguments: bytes) -> Any:
        self._server.script_cache[hashlib.sha1(script).hexdigest().encode()] = script  # noqa: S324
        return self._run_script(script, arguments)

    def evalsha(self, sha1: bytes, numkeys: int, *arguments: bytes) -> Any:
        if sha1 not in self._server.script_cache:
            raise SimpleError(messages.NO_MATCHING_SCRIPT_MSG)
        return self._run_script(self._server.script_cache[sha1], arguments)

    def _run_script(self, script: bytes, arguments: Iterable[bytes]) -> Any:
        self._script_resp = 2
        try:
            return _lua().run(script, arguments, self._run_in_script)
        finally:
            self._script_resp = None

    def _run_in_script(self, name: bytes, given: Iterable[Any]) -> Any:
        arguments = [each if type(each) is bytes else _convert_redis_arg(each) for each in given]
        record = _RECORD.fullmatch(arguments[0]) if name in _WRITES else None
        before = self._status(arguments[0]) if record else None
        reply = self._run_named(name.decode().lower(), arguments)
        if record and not isinstance(reply, SimpleError):
            check(record[1], name, before, self._status(arguments[0]))
        return reply

    def _run_named(self, name: str, arguments: list[bytes]) -> Any:
        if name in COMMANDS_WITH_SUB:
            name, arguments = f"{name} {arguments[0].decode().lower()}", arguments[1:]
        signature = SUPPORTED_COMMANDS[name]
        return self._run_command(getattr(self, signature.func_name), signature, arguments, True)

    def _run_command(self, func: Any, sig: Signature, args: Any, from_script: bool) -> Any:
        if self._pubsub or (from_script and messages.FLAG_NO_SCRIPT in sig.flags):
            return super()._run_command(func, sig, args, from_script)
        items: list[CommandItem] = []
        try:
            result = self._perform(func, _plan(sig, len(args)), list(args), items)
        except SimpleError as error:
            result = error
        for item in items:
            if item._modified or item._expireat_modified:
                item.writeback(remove_empty_val=messages.FLAG_LEAVE_EMPTY_VAL not in sig.flags)
        return result

    def _perform(self, call: Any, plan: _Plan, arguments: list[Any], items: list[CommandItem]) -> Any:
        """`items` gets the values of the keys, which the call may change."""
        for at, kind in plan.steps:
            if not isinstance(kind, Key):
                arguments[at] = kind.decode(arguments[at])
            elif self._find(arguments[at]) is None:
                return kind.missing_return
        for at, kind, is_made in plan.keys:
            found = self._find(arguments[at])
            if found and kind and type(found.value) is not kind:
                raise SimpleError(messages.WRONGTYPE_MSG)
            default = kind() if kind and is_made and found is None else None
            arguments[at] = CommandItem(arguments[at], self._db, found, default=default)
            items.append(arguments[at])
        result = call(*arguments)
        if type(result) in _SAME or not plan.is_converted or self._resp_version != 2:
            return result
        return convert_to_resp2(result)

    def _find(self, key: bytes) -> Any:
        item = self._db._dict.get(key)
        return item if item is None or item.expireat is None else self._db.get(key)

    def _status(self, key: bytes) -> str | None:
        item = self._find(key)
        status = item.value.get(b"status") if item else None
        return status.decode() if status else None


def check(kind: bytes, command: bytes, before: str | None, after: str | None) -> None:
    """`before` and `after` are the status around one command; None where there is no record."""
    table, step = _TABLES[kind], f"{command.decode()}: {before} -> {after}"
    match command:
        case b"DEL" | b"PEXPIRE":
            if before and table[before]:
                raise IllegalChange(f"{step}: a job that has not ended must stay")
        case _ if before is None:
            if after != _FIRST[kind]:
                raise IllegalChange(f"{step}: a job begins as {_FIRST[kind]}")
        case _ if not table[before]:
            raise IllegalChange(f"{step}: a job that has ended must not change")
        case _ if after != before and after not in table[before]:
            raise IllegalChange(f"{step}: the table has no such transition")
