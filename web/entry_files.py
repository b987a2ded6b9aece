"""Where settings say that keys and secrets are listed: a file, or a secret of AWS Secrets Manager."""

import os
import re
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from jobs.errors import InvalidSettings

_SECRET = re.compile(r"arn:[\w-]+:secretsmanager:([\w-]+):\d+:secret:\S+")
SECRET_SECONDS = 60
"""Between two readings of a secret; AWS bills 0.05 USD for 10,000."""


class Entries(Protocol):
    def is_due(self) -> bool:
        """Whether to read again, because they have changed or could have."""

    def read(self) -> str:
        """The entries, with commas between. What follows a # is a comment. Raises InvalidSettings."""


def entries_at(location: str, setting: str, clock: Callable[[], float] = time.monotonic) -> Entries:
    """`location` is the value of a setting: the path of a file, or the ARN of a secret."""
    return (
        AwsSecret(location, setting, clock)
        if _SECRET.fullmatch(location)
        else EntryFile(Path(location), setting)
    )


class EntryFile:
    def __init__(self, file: Path, setting: str) -> None:
        self._file = file
        self._setting = setting
        self._seen: tuple[int, ...] | None = ()

    def is_due(self) -> bool:
        return self._facts() != self._seen

    def read(self) -> str:
        self._seen = self._facts()
        try:
            text = self._file.read_text("ascii")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not ASCII"
            raise InvalidSettings(f"{self._setting}: {self._file} cannot be read: {reason}") from None
        return _joined(text)

    def _facts(self) -> tuple[int, ...] | None:
        """What differs after a change."""
        try:
            facts = self._file.stat()
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_ino, facts.st_size


class AwsSecret:
    """A secret of AWS Secrets Manager; one that has no value yet has no entries."""

    def __init__(self, arn: str, setting: str, clock: Callable[[], float]) -> None:
        self._arn = arn
        self._setting = setting
        self._clock = clock
        self._next = clock()

    def is_due(self) -> bool:
        return self._clock() >= self._next

    def read(self) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        self._next = self._clock() + SECRET_SECONDS
        try:
            answer = _client(self._arn.split(":")[3]).get_secret_value(SecretId=self._arn)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                return ""
            raise InvalidSettings(f"{self._setting}: {self._arn} cannot be read: {code}") from None
        except BotoCoreError as error:
            raise InvalidSettings(f"{self._setting}: {self._arn} cannot be read: {error}") from None
        return _joined(answer.get("SecretString", ""))


@cache
def _client(region: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 2})
    return boto3.session.Session().client("secretsmanager", region_name=region, config=config)


# Two processes on one connection would receive each other's answers.
os.register_at_fork(after_in_child=_client.cache_clear)


def _joined(text: str) -> str:
    return ",".join(line.partition("#")[0] for line in text.splitlines())
