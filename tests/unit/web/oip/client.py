"""Helpers that send inference requests."""

import json
import struct
from typing import Any

from werkzeug.test import TestResponse

from tests.unit.web.site import Site

INFER = "/v2/models/salary/infer"
LENGTH = "Inference-Header-Content-Length"


def tensor(*years: Any, **replaced: Any) -> dict[str, Any]:
    return {"name": "years", "shape": [len(years)], "datatype": "FP64", "data": list(years), **replaced}


def infer(site: Site, *inputs: Any, **members: Any) -> TestResponse:
    return site.client.post(INFER, json={"inputs": inputs, **members})


def infer_binary(
    site: Site, appended: bytes, described: Any, length: str | None = None, **members: Any
) -> TestResponse:
    """Sends bytes after the JSON, with the right length of the JSON unless another is given."""
    header = json.dumps({"inputs": [described], **members}).encode()
    headers = {LENGTH: str(len(header)) if length is None else length}
    return site.client.post(INFER, data=header + appended, headers=headers)


def as_bytes(*years: float) -> tuple[bytes, dict[str, Any]]:
    appended = struct.pack(f"<{len(years)}d", *years)
    described = tensor(*years, parameters={"binary_data_size": len(appended)})
    del described["data"]
    return appended, described
