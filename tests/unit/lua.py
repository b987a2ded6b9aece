"""The Lua of a Redis in memory. Each script is compiled once in a process, for all servers."""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from fakeredis._helpers import SimpleError, SimpleString
from fakeredis.commands_mixins.scripting_mixin import LUA_MODULE, _lua_cjson_decode

RunCommand = Callable[[bytes, tuple[Any, ...]], Any]
"""Runs a command of a script, by its name and arguments; an error is returned."""

_SANDBOX = """
function(call, pcall, decode)
  redis, cjson, KEYS, ARGV = {call = call, pcall = pcall}, {decode = decode}, {}, {}
  local function refuse(_, name) error('a script may not use the global variable ' .. tostring(name)) end
  setmetatable(_G, {__index = refuse, __newindex = refuse})
  return function(arguments) ARGV = arguments end
end
"""
_OPEN = "function(value) return value.err or false, value.ok or false, unpack(value) end"
MOST_OPENED = 5_000
"""So many values can be on the stack of Lua, with some to spare."""
_SAME = frozenset({bytes, int})
"""Types of values that Lua and Python have in common."""


class Lua:
    """Runs scripts by the rules of Redis: without global variables, and with its conversions."""

    def __init__(self) -> None:
        self._lua = LUA_MODULE.LuaRuntime(encoding=None, unpack_returned_tuples=True)
        self._table, self._open = self._lua.table_from, self._lua.eval(_OPEN)
        known = {*self._lua.globals().keys(), b"redis", b"cjson", b"KEYS", b"ARGV"}
        decode = partial(_lua_cjson_decode, self._lua, known)
        self._set_arguments = self._lua.eval(_SANDBOX)(self._call, self._pcall, decode)
        self._compiled: dict[bytes, Any] = {}
        self._run_command: RunCommand | None = None
        self._lock = threading.Lock()

    def run(self, script: bytes, arguments: Iterable[bytes], run_command: RunCommand) -> Any:
        """The reply of the script. Raises SimpleError."""
        with self._lock:
            if script not in self._compiled:
                self._compiled[script] = self._lua.compile(script)
            self._run_command = run_command
            self._set_arguments(self._table(arguments))
            try:
                return self._reply(self._compiled[script]())
            except LUA_MODULE.LuaError as error:
                raise SimpleError(f"ERR Error running script: {error}") from None
            finally:
                self._run_command = None

    def _call(self, name: bytes, *arguments: Any) -> Any:
        assert self._run_command
        return self._value(self._run_command(name, arguments))

    def _pcall(self, name: bytes, *arguments: Any) -> Any:
        try:
            return self._call(name, *arguments)
        except SimpleError as error:
            return self._table({b"err": error.value.encode()})

    def _value(self, reply: Any) -> Any:
        """What a script gets for the reply of a command."""
        if type(reply) in _SAME:
            return reply
        if reply is None:
            return False
        if isinstance(reply, list):
            return self._table([each if type(each) in _SAME else self._value(each) for each in reply])
        if isinstance(reply, SimpleString):
            return self._table({b"ok": reply.value})
        assert isinstance(reply, SimpleError), reply
        raise reply

    def _reply(self, value: Any) -> Any:
        """What a client gets for the value that a script returns: a list ends at its first nil."""
        if type(value) in _SAME:
            return value
        if value is None or isinstance(value, bool):
            return 1 if value else None
        if isinstance(value, float):
            return int(value)
        if len(value) > MOST_OPENED:
            return [self._reply(value[number]) for number in range(1, len(value) + 1)]
        error, status, *values = self._open(value)
        if error:
            raise SimpleError(error.decode())
        if status:
            return SimpleString(status)
        if None in values:
            values = values[: values.index(None)]
        return [each if type(each) in _SAME else self._reply(each) for each in values]
