"""Which addresses on S3 callers may name: those under a folder that PAYGRADE_S3_ALLOW lists."""

import re
from urllib.parse import unquote

_ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\x00-\x1f\x7f]*)?")


def is_address(text: str) -> bool:
    """Whether this is s3://BUCKET/KEY, and no part of the key could be read as the way to another folder."""
    parts = unquote(text[len("s3://") :].rstrip("/")).split("/")
    return bool(_ADDRESS.fullmatch(text)) and not {"", ".", ".."}.intersection(parts)


def is_allowed(address: str, s3_allow: str) -> bool:
    """Whether the address is one of the folders, or below one: s3://a/in allows no s3://a/in-of-others."""
    folders = [folder.rstrip("/") for folder in s3_allow.split(",") if folder]
    return is_address(address) and any(f"{address}/".startswith(f"{folder}/") for folder in folders)
