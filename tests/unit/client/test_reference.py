"""The reference of the client names what the package has, neither more nor less."""

import inspect
import re

import paygrade
from paygrade import Client

from tests.documents import ROOT, first_cells

PAGE = ROOT / "docs" / "reference" / "client.md"


def test_every_method_is_in_the_reference() -> None:
    named = {re.match(r"\w+", cell)[0] for cell in first_cells(PAGE, "Methods")}  # type: ignore[index]
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert named == methods


def test_every_exception_is_in_the_reference() -> None:
    exported = (getattr(paygrade, name) for name in paygrade.__all__ if name != "Row" and name != "Resource")
    errors = {each.__name__ for each in exported if inspect.isclass(each) and issubclass(each, Exception)}
    assert set(first_cells(PAGE, "Exceptions")) == errors - {"PaygradeError", "RowsNotScored"}


def test_every_argument_of_a_client_is_in_the_reference() -> None:
    page = PAGE.read_text().partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == ["url", "key", "timeout"]
