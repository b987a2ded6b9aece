"""Scripts in Lua that stand on a file of definitions: each gets those that it needs, and no more.

To define the others would cost every call of a script more than most of them take.
"""

import re
from collections.abc import Iterator

_NAMES = re.compile(r"local (?:function )?(\w+(?:, \w+)*)")
_WORD = re.compile(r"\w+")


def linked(definitions: str, script: str) -> str:
    """The script behind the definitions that it uses, itself or through others."""
    needed = set(_WORD.findall(_without_comments(script)))
    kept: list[str] = []
    for names, text in reversed(list(_split(definitions))):  # each uses only what comes before it
        if needed & names:
            kept.append(text)
            needed.update(_WORD.findall(_without_comments(text)))
    return "".join(reversed(kept)) + script


def _split(definitions: str) -> Iterator[tuple[set[str], str]]:
    """Each definition, which begins with `local` at the start of a line, and the names that it gives."""
    for text in re.split(r"^(?=local )", definitions, flags=re.MULTILINE):
        if match := _NAMES.match(text):
            yield set(match[1].split(", ")), text


def _without_comments(text: str) -> str:
    return re.sub(r"--.*", "", text)
