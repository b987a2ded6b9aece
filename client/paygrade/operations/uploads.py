"""Long files: they are put into the file store of the service in parts, and then posted as an upload."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from paygrade.calling.caller import Caller
from paygrade.calling.requests import IDEMPOTENCY_KEY, HttpRequest, get, post_json
from paygrade.errors import AddressRefused, ConnectionCut, NoAnswer, NotFound, PaygradeError, Unreachable
from paygrade.files import SentFile
from paygrade.resources import PATHS, Job, Resource

UPLOADS = "/v1/uploads"
LONG_BYTES = 8 * 1024 * 1024
"""What is longer may be too long for what is in front of a service."""
PART_SECONDS = 50.0
"""How much longer than another request the transfer of a part may pause."""
DROP_SECONDS = 2.0
LONGEST_NAME = 255
MOST_REFUSED = 3
"""Addresses in a row that were new and are refused: another does not help."""
CHECK_SECONDS = 110.0
"""How much longer the service may take to put a file together."""


def is_long(file: SentFile) -> bool:
    return file.repeatable and file.size is not None and file.size > LONG_BYTES


async def upload_directly(
    caller: Caller, file: SentFile, headers: Mapping[str, str], options: Resource, timeout: float
) -> Job | None:
    """Returns the job, or None if the service takes files in the body of a request only.

    `headers` are those of such a request. The file is known by its CRC-32 when it arrives.
    """
    begun = {"size": file.size, "media_type": headers["Content-Type"], "name": file.base_name[-LONGEST_NAME:]}
    begun["crc32"] = f"{await caller.beside(file.crc32):08x}"
    try:
        upload = await caller.ask(post_json(UPLOADS, begun, {}), timeout)
    except NotFound:
        return None
    try:
        await _put_parts(caller, file, upload, timeout)
    except (KeyboardInterrupt, asyncio.CancelledError):
        with suppress(PaygradeError):
            await caller.ask(HttpRequest("DELETE", upload["urls"]["self"]), DROP_SECONDS)
        raise
    kept = {name: headers[name] for name in ("Cancel-After", IDEMPOTENCY_KEY) if name in headers}
    request = post_json(PATHS["batch"], {**options, "upload": upload["id"]}, kept, pause=CHECK_SECONDS)
    return cast(Job, await caller.ask(request, timeout))


async def _put_parts(caller: Caller, file: SentFile, upload: Resource, timeout: float) -> None:
    """Until none is missing. What did not arrive is sent again, to a new address."""
    patience, refused = caller.patience(timeout), 0
    while upload["missing"]:
        missing = upload["missing"]
        try:
            for part in upload["parts"]:
                content = file.part(part["offset"], part["size"])
                address, headers = part["url"], part["headers"]
                request = HttpRequest(
                    part["method"], address, {}, headers, content, pause=PART_SECONDS, elsewhere=True
                )
                await caller.put(request, patience.left)
                patience.begin()
                refused = 0
        except (ConnectionCut, Unreachable) as error:
            refused += isinstance(error, AddressRefused)
            if refused == MOST_REFUSED:
                raise
            await caller.pause(patience.pause_after(error))
            missing = None
        upload = await caller.ask(get(upload["urls"]["self"]), timeout)
        if upload["missing"] == missing:
            raise NoAnswer("the parts of the file were sent, and did not arrive in the file store")
