"""The templates of the page, and the files that it loads: all of them of this server."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from model.description.palette import PALETTE
from web.page import writing
from web.page.tables import key_of

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{store}; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def policy(store: str = "") -> str:
    """`store` is the origin of the file store, where the page sends files there itself."""
    return _POLICY.format(store=f" {store}" if store else "")


class LoadedFile(NamedTuple):
    content: bytes
    media_type: str


class Templates:
    """Texts of bundles and callers are escaped wherever they stand."""

    def __init__(self, with_guide: bool) -> None:
        self.files = _read_files()
        self.version = _digest(self.files)
        """A part of each file's address, so that browsers may keep the files for ever."""
        self._environment = Environment(
            loader=PackageLoader("web.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            number=writing.write_number,
            count=writing.write_count,
            duration=writing.write_duration,
            time=writing.write_time,
            value=writing.write_value,
        )
        self._environment.globals.update(files=f"page/{self.version}", key_of=key_of, with_guide=with_guide)

    def render(self, name: str, shown: Mapping[str, Any]) -> bytes:
        return self._environment.get_template(f"{name}.html").render(shown).encode()


def _read_files() -> dict[str, LoadedFile]:
    """The colours are a part of the style, so that they are no further request."""
    folder = files(__package__) / "files"
    found = {
        file.name: LoadedFile(file.read_bytes(), media_type)
        for file in folder.iterdir()
        if (media_type := _MEDIA_TYPES.get(file.name[file.name.rfind(".") :]))
    }
    style = found["page.css"]
    return {**found, "page.css": LoadedFile(PALETTE.read_bytes() + style.content, style.media_type)}


def _digest(read: Mapping[str, LoadedFile]) -> str:
    together = hashlib.sha256()
    for name in sorted(read):
        together.update(name.encode() + read[name].content)
    return together.hexdigest()[:12]
