"""A Redis in memory that runs the real scripts."""

from typing import Any

from fakeredis import FakeRedis
from redis.commands.core import Script


class MemoryRedis(FakeRedis):
    """The fake knows no flags of scripts (#!lua ...), and is never out of memory."""

    def register_script(self, script: Any) -> Script:
        flags, _, text = script.partition("\n")
        return super().register_script(text if flags.startswith("#!") else script)
