"""Runs a story that is written with asyncio."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(story: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: tests of the browser leave a loop in the first thread of a process."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, story).result()
