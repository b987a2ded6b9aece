"""The code has one word for each thing: those of the glossary, and none of those that they replaced."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.code import lua_files, name_of, python_files

INSTEAD = {
    "bell": "wake-up",
    "bells": "wake-ups",
    "ring": "wake-up",
    "rings": "wake-ups",
    "door": "admission",
    "doors": "admission",
    "shelf": "registry",
    "shelves": "registries",
    "untold": "not inlined",
    "in the line": "in the queue",
    "out of the line": "out of the queue",
}
"""Words that no file of the product has, with those that it uses."""

NAMES_INSTEAD = {"told": "inlined", "asked": "request", "notso": "CommandFailed", "doubts": "data_checks"}
"""Words that are plain English in a sentence, but say nothing as a name."""

FILES = [*python_files(), *lua_files()]


def replaced_words(text: str) -> set[str]:
    pattern = "|".join(INSTEAD)
    return {found.lower() for found in re.findall(rf"\b(?:{pattern})\b", _spaced(text), re.IGNORECASE)}


def names_in(text: str) -> Iterator[str]:
    """All names of Python code: of variables, attributes, functions, classes, arguments."""
    for node in ast.walk(ast.parse(text)):
        for field in ("id", "attr", "name", "arg"):
            if isinstance(name := getattr(node, field, None), str):
                yield name


def _spaced(text: str) -> str:
    """With the words of each name apart, and sentences on one line."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("_", " "))
    return re.sub(r"\s+(?:--|#)?\s*", " ", text)


def test_replaced_words_are_found_in_names_and_sentences() -> None:
    assert replaced_words("class BatchBell: ...\n_doors = 'a string during indoor'") == {"bell", "doors"}
    assert replaced_words("# It waits in the\n# line, as it was told.") == {"in the line"}
    assert replaced_words("the line of the file, on one line of JSON lines") == set()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_file_uses_the_words_of_the_glossary(file: Path) -> None:
    text = file.read_text()
    assert {word: INSTEAD[word] for word in replaced_words(text)} == {}
    names = " ".join(names_in(text)) if file.suffix == ".py" else ""
    words = set(_spaced(names).lower().split()) | {file.stem}
    assert {word: NAMES_INSTEAD[word] for word in NAMES_INSTEAD.keys() & words} == {}
