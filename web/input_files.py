"""Finds the files that the input of a batch names: by a prefix, a glob or a manifest.

The listing is a snapshot: a file is scored as it is now, or refused later.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice, pairwise
from os.path import commonprefix
from typing import Any, NamedTuple

import orjson

from jobs.batches.inputs import ListedFile
from jobs.errors import FileMissing, FilesForbidden
from jobs.files.allow_list import is_allowed
from jobs.files.location import files_of_caller
from jobs.files.tables import ENDINGS, format_of
from web.errors import FilesTooLong, UnreadableInput

MANIFEST_ENDINGS = (".manifest", ".json")
LARGEST_MANIFEST = 16 * 1024 * 1024
LOOKED_AT_PER_FILE = 10
"""So many files are looked at for each that a batch may have, until enough are found."""
LONGEST_KEY = 1024
"""Characters of a key in S3."""
_WILDCARD = re.compile(r"[*?\[]")
_HIDDEN = re.compile(r"(^|/)[._]")
"""Names that Spark and others give to what is no table."""
FILE_ENDINGS = f"{', '.join(f'.{ending}' for ending in ENDINGS)}, each also with .gz or .zip"


class InputFiles(NamedTuple):
    """`root` is what all addresses begin with; the names of results continue the rest."""

    root: str
    files: list[ListedFile]


def names_several(address: str) -> bool:
    """Whether it is a prefix, a glob or a manifest."""
    return address.endswith(("/", *MANIFEST_ENDINGS)) or has_wildcard(address)


def has_wildcard(address: str) -> bool:
    return bool(_WILDCARD.search(address))


def is_hidden(name: str) -> bool:
    """Whether Spark and others give such a name to what is no table."""
    return bool(_HIDDEN.search(name))


def find_files(address: str, s3_allow: str, most: int, most_bytes: int) -> InputFiles:
    """Raises UnreadableInput, FilesTooLong and FilesUnavailable."""
    try:
        if _WILDCARD.search(address) or address.endswith("/"):
            found = _find(address, s3_allow, most)
        else:
            found = _read_manifest(address, s3_allow, most)
    except FileMissing:
        raise UnreadableInput("there is no such manifest") from None
    except FilesForbidden as error:
        raise UnreadableInput(str(error)) from None
    size = sum(file.size or 0 for file in found.files)
    if size > most_bytes:
        raise FilesTooLong(len(found.files), size, most_bytes)
    return found


def _find(pattern: str, s3_allow: str, most: int) -> InputFiles:
    wildcard = _WILDCARD.search(pattern)
    beginning = pattern[: wildcard.start()] if wildcard else pattern
    root = beginning[: beginning.rindex("/") + 1]
    looked_at = LOOKED_AT_PER_FILE * most
    store = files_of_caller(root.rstrip("/"), "", s3_allow)
    objects = islice(store.objects(beginning.removeprefix(root)), looked_at + 1)
    files: list[ListedFile] = []
    for number, (name, size, version) in enumerate(objects):
        if number == looked_at:
            raise UnreadableInput(f"over {looked_at} files begin like this; name a narrower prefix")
        source = f"{root}{name}"
        if format_of(name) and (_fits(source, pattern) if wildcard else not _HIDDEN.search(name)):
            files.append(ListedFile(source, size, version))
        _check_number(files, most)
    if not files:
        raise UnreadableInput(f"no file is found there; the name of a file must end in one of {FILE_ENDINGS}")
    return InputFiles(root, files)


def _fits(address: str, pattern: str) -> bool:
    """A wildcard stays within its folder."""
    parts, wanted = address.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _check_number(files: list[Any], most: int) -> None:
    if len(files) > most:
        raise UnreadableInput(f"there are more than {most} files; send them in several batches")


def _read_manifest(address: str, s3_allow: str, most: int) -> InputFiles:
    folder, _, name = address.rpartition("/")
    store = files_of_caller(folder, name, s3_allow)
    if store.size(name) > LARGEST_MANIFEST:
        raise UnreadableInput(f"the manifest has more than {LARGEST_MANIFEST} bytes")
    entries = list(islice(_entries(store.read(name)), most + 1))
    _check_number(entries, most)
    files = [_listed(entry, number, s3_allow) for number, entry in enumerate(entries, 1)]
    if not files:
        raise UnreadableInput("the manifest names no file")
    sources = [file.source for file in files]
    if twice := next((each for each, again in pairwise(sorted(sources)) if each == again), None):
        raise UnreadableInput(f"the manifest names {twice} twice")
    common = commonprefix(sources)  # noqa: RUF071 (it is cut after a slash)
    return InputFiles(common[: common.rindex("/") + 1], files)


def _entries(manifest: bytes) -> Iterator[Any]:
    """The entries of a manifest: a JSON list as SageMaker reads it, one of Paygrade's own, or JSON lines."""
    try:
        sent = orjson.loads(manifest)
    except orjson.JSONDecodeError:
        yield from _lines(manifest)
        return
    if isinstance(sent, dict) and isinstance(sent.get("files"), list):
        sent = sent["files"]
    entries = sent if isinstance(sent, list) else [sent]
    prefix = ""
    if entries and isinstance(entries[0], dict) and isinstance(entries[0].get("prefix"), str):
        prefix, entries = entries[0]["prefix"], entries[1:]
    for entry in entries:
        yield prefix + entry if isinstance(entry, str) else entry


def _lines(manifest: bytes) -> Iterator[Any]:
    for number, line in enumerate(manifest.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            raise UnreadableInput(
                f"line {number} of the manifest is not JSON; send a JSON list of addresses, or one a line"
            ) from None


def _listed(entry: Any, number: int, s3_allow: str) -> ListedFile:
    """An address, or an object with it as `input`, and perhaps the `etag` of the version to score."""
    sent = entry if isinstance(entry, dict) else {"input": entry}
    source, version = sent.get("input"), sent.get("etag")
    if not isinstance(source, str) or not is_allowed(source, s3_allow):
        raise UnreadableInput(
            f"file {number} of the manifest is not an address in a folder that PAYGRADE_S3_ALLOW lists"
        )
    if not format_of(source):
        raise UnreadableInput(f"file {number} of the manifest, {source}, must end in one of {FILE_ENDINGS}")
    return ListedFile(source, version=version if isinstance(version, str) else "")
