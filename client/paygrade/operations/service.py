"""What the service serves, and how much it has to do."""

from typing import cast
from urllib.parse import quote

from paygrade.calling.caller import Caller
from paygrade.calling.requests import get
from paygrade.errors import NotFound
from paygrade.resources import Model, Resource

PATH = "/v1/models"


async def models(caller: Caller) -> list[Model]:
    """The newest version of each model."""
    answered = await caller.ask(get(PATH))
    return [cast(Model, model) for model in answered["data"]]


async def model(caller: Caller, name: str | None = None) -> Model:
    """A model, `name@version` or `name@alias`; without a name, the default model.

    Raises NotFound if there is none.
    """
    if name is not None:
        return cast(Model, await caller.ask(get(f"{PATH}/{quote(name, safe='@')}")))
    for each in await models(caller):
        if each["default"]:
            return each
    raise NotFound("the service has no default model; name one", 404, {})


async def capacity(caller: Caller) -> Resource:
    """What waits, how many workers there are, their rate, and whether jobs are accepted."""
    return await caller.ask(get("/v1/capacity"))
