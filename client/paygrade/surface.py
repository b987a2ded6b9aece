"""An operation as a method of a client that blocks, or of one that is awaited.

Each operation is written once, as a coroutine whose first argument is a Caller. Under a transport that
blocks it never suspends, so that sending None to it once runs it to its end.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args

from paygrade.calling.caller import Caller

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class CallingClient(Protocol):
    caller: Caller


def blocking(
    operation: Callable[Concatenate[Caller, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[CallingClient, P], T]:
    signature = _signature_of(operation)

    @functools.wraps(operation)
    def method(self: CallingClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        signature.bind(self, *args, **kwargs)
        return finished(operation(self.caller, *args, **kwargs))

    return _shown_as(operation, signature, method)


def awaited(
    operation: Callable[Concatenate[Caller, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[CallingClient, P], Coroutine[Any, Any, T]]:
    signature = _signature_of(operation)

    @functools.wraps(operation)
    async def method(self: CallingClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        signature.bind(self, *args, **kwargs)
        return await operation(self.caller, *args, **kwargs)

    return _shown_as(operation, signature, method)


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

    return _shown_as(operation, _signature_of(operation), method)


def awaited_each(
    operation: Callable[Concatenate[Caller, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate[CallingClient, P], AsyncGenerator[T, None]]:
    @functools.wraps(operation)
    def method(self: CallingClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return operation(self.caller, *args, **kwargs)

    return _shown_as(operation, _signature_of(operation), method)


def finished(operation: Awaitable[T]) -> T:
    """What an operation that never suspends returns."""
    steps = operation.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("an operation waits for an event loop, under a transport that needs none")


def _help_of(operation: Callable[..., Any]) -> str:
    """The text of help(), with what the options mean."""
    parameters = inspect.signature(operation).parameters.values()
    named = [get_args(each.annotation)[0] for each in parameters if each.kind is each.VAR_KEYWORD]
    return "\n\n".join(inspect.getdoc(each) or "" for each in (operation, *named))


def _signature_of(operation: Callable[..., Any]) -> inspect.Signature:
    """The signature of the method: with `self`, and with each option that a TypedDict names."""
    signature = inspect.signature(operation)
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    for parameter in list(signature.parameters.values())[1:]:
        parameters += [parameter] if parameter.kind is not parameter.VAR_KEYWORD else _options_of(parameter)
    return signature.replace(parameters=parameters)


def _options_of(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    [options] = get_args(parameter.annotation)  # of Unpack
    for name, kind in options.__annotations__.items():
        yield inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _shown_as(operation: Callable[..., Any], signature: inspect.Signature, method: F) -> F:
    """Gives the method what help() and notebooks show."""
    method.__signature__ = signature  # type: ignore[attr-defined]
    method.__doc__ = _help_of(operation)
    return method
