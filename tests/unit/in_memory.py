"""A Redis in memory that runs the real scripts and holds every change of a job to its status table."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fakeredis import FakeRedis, FakeRedisConnection
from fakeredis._socket import FakeSocket
from redis.commands.core import Script

from jobs.batches.status import BATCH_TRANSITIONS, BatchStatus
from jobs.predictions.status import TRANSITIONS, PredictionStatus

_RECORD = re.compile(rb"job:(pred|batch)_[^:]+")
_FIRST: dict[bytes, StrEnum] = {b"pred": PredictionStatus.QUEUED, b"batch": BatchStatus.VALIDATING}
_TABLES: dict[bytes, Mapping[Any, frozenset[Any]]] = {b"pred": TRANSITIONS, b"batch": BATCH_TRANSITIONS}


COLLECT = "collectgarbage()"
CALLS_UNTIL_COLLECTED = 100


class IllegalChange(AssertionError):
    """A script changed a job in a way that the table of its statuses does not have."""


class MemoryRedis(FakeRedis):
    """The fake knows no flags of scripts (#!lua ...), and is never out of memory."""

    def __init__(self, **options: Any) -> None:
        super().__init__(connection_class=_Connection, **options)

    def register_script(self, script: Any) -> Script:
        flags, _, text = script.partition("\n")
        return super().register_script(text if flags.startswith("#!") else script)


class _Connection(FakeRedisConnection):
    def _connect(self) -> FakeSocket:
        socket = super()._connect()
        socket.__class__ = _CheckedSocket
        return socket


class _CompiledScripts:
    """Stands in for the Lua of a server: it compiles each script once, and seldom collects garbage.

    The fake does both at each call, which takes longer than most scripts.
    """

    def __init__(self, lua: Any) -> None:
        self.table_from, self.globals = lua.table_from, lua.globals
        self._lua = lua
        self._compiled: dict[bytes | str, Any] = {}
        self._calls = 0

    def execute(self, script: bytes | str) -> Any:
        if script == COLLECT:
            self._calls += 1
            return self._lua.execute(COLLECT) if self._calls % CALLS_UNTIL_COLLECTED == 0 else None
        if script not in self._compiled:
            self._compiled[script] = self._lua.compile(script)
        return self._compiled[script]()


class _CheckedSocket(FakeSocket):
    """Checks each command of a script that writes a record: so each step of a script counts."""

    def _get_server_runtime(self, server: Any) -> Any:
        lua = super()._get_server_runtime(server)
        if not hasattr(server, "compiled_scripts"):
            server.compiled_scripts = _CompiledScripts(lua)
        return server.compiled_scripts

    def _lua_redis_call(self, lua_runtime: Any, expected_globals: Any, op: bytes, *args: Any) -> Any:
        record = _RECORD.fullmatch(args[0]) if args and isinstance(args[0], bytes) else None
        before = self._status(args[0]) if record else None
        reply = super()._lua_redis_call(lua_runtime, expected_globals, op, *args)
        if record and op.upper() in (b"HSET", b"HSETNX", b"HINCRBY", b"HDEL", b"DEL", b"PEXPIRE"):
            check(record[1], op.upper(), before, self._status(args[0]))
        return reply

    def _status(self, key: bytes) -> str | None:
        item = self._db.get(key)
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
