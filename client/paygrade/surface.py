"""An operation as a method of a client that blocks, or of one that is awaited.

Each operation is written once, as a coroutine whose first argument is a Caller. Under a transport that
blocks it never suspends, so that sending None to it once runs it to its end.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from paygrade.calling.caller import Caller

P = ParamSpec("P")
T = TypeVar("T")


class CallingClient(Protocol):
    caller: Caller


def blocking(
    operation: Callable[Concatenate[Caller, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[CallingClient, P], T]:
    @functools.wraps(operation)
    def method(self: CallingClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return finished(operation(self.caller, *args, **kwargs))

    return _of_a_client(method)


def awaited(
    operation: Callable[Concatenate[Caller, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[CallingClient, P], Coroutine[Any, Any, T]]:
    @functools.wraps(operation)
    async def method(self: CallingClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await operation(self.caller, *args, **kwargs)

    return _of_a_client(method)


def blocking_each(
    operation: Callable[Concatenate[Caller, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate[CallingClient, P], Iterator[T]]:
    @functools.wraps(operation)
    def method(self: CallingClient, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        each = operation(self.caller, *args, **kwargs)
        try:
            while True:
                try:
                    one = finished(anext(each))
                except StopAsyncIteration:
                    return
                yield one
        finally:
            finished(each.aclose())

    return _of_a_client(method)


def awaited_each(
    operation: Callable[Concatenate[Caller, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate[CallingClient, P], AsyncGenerator[T, None]]:
    @functools.wraps(operation)
    def method(self: CallingClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return operation(self.caller, *args, **kwargs)

    return _of_a_client(method)


def finished(operation: Awaitable[T]) -> T:
    """What an operation that never suspends returns."""
    steps = operation.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("an operation waits for an event loop, under a transport that needs none")


F = TypeVar("F", bound=Callable[..., Any])


def _of_a_client(method: F) -> F:
    """With `self` in the signature that help() and notebooks show."""
    signature = inspect.signature(method)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    shown = [own, *list(signature.parameters.values())[1:]]
    method.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    return method
