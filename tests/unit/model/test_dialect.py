"""How a table is written is found by clear rules, or the caller is asked."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.description.features import Feature
from model.description.schema import Schema
from model.tables.dialect import FOUND, Dialect, UnclearDialect, find_dialect, find_encoding

SCHEMA = Schema(
    [
        Feature("years", "number"),
        Feature("code", "category", categories=("1", "2.5")),
        Feature("town", "category", nullable=True, categories=("Bern", "Gent")),
    ]
)


def found(text: str, named: Dialect = FOUND, schema: Schema | None = SCHEMA) -> Dialect:
    return find_dialect(text.encode(), named, schema)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_splits_the_header_into_the_features(delimiter: str) -> None:
    header, row = ["id, a;b|c\td", "years", "code"], ["x", "1", "1"]
    others = "".join(mark for mark in ",;|\t" if mark != delimiter)
    for name in ("id", f"id{others}"):
        text = "\n".join(delimiter.join(fields) for fields in ([name, *header[1:]], row))
        assert found(text) == (delimiter, "." if delimiter == "," else "")


def test_a_header_of_one_name_is_one_column() -> None:
    assert found("years\n1\n", schema=Schema([Feature("years", "number")])) == (",", ".")


def test_a_first_line_may_name_the_delimiter() -> None:
    for line in ("sep=;\r\n", "\ufeffSEP=;\n"):
        assert found(f"{line}years;code\n2,5;1\n") == (";", ",")


def test_without_features_the_delimiter_is_the_one_that_splits_every_row_alike() -> None:
    assert found("a,b;c\n1;2\n3;4\n", schema=None) == (";", "")
    assert found("a,b;c\n1,2\n3,4;5\n", schema=None) == (",", ".")
    with pytest.raises(UnclearDialect, match="separated by comma or semicolon; name the delimiter"):
        found("a,b;c\n1,2;3\n", schema=None)


@pytest.mark.parametrize(
    ("values", "decimal"),
    [
        (["2,5", "10"], ","),
        (["2.5", "10"], "."),
        (["1", "10"], ""),
        (["0,123"], ","),
        ([",5"], ","),
        (["2,5", "1.234"], ","),
        (["2.5", "1,234"], "."),
        (["1,2345"], ","),
        (["-1,5e3"], ","),
        (["", "NA", "12"], ""),
    ],
)
def test_the_decimal_sign_is_the_one_that_surely_separates_a_fraction(
    values: list[str], decimal: str
) -> None:
    text = "years;code\n" + "".join(f"{value};1\n" for value in values)
    assert found(text) == (";", decimal)
    assert found(text, schema=None) == (";", decimal)


@pytest.mark.parametrize("values", [["1,234"], ["1.234"], ["1,234", "12"], ["1.234", "1,234"]])
def test_a_fraction_that_may_be_thousands_must_be_named(values: list[str]) -> None:
    text = "years;code\n" + "".join(f"{value};1\n" for value in values)
    with pytest.raises(UnclearDialect, match="may be fractions, or thousands; name the decimal"):
        found(text)
    assert found(text, Dialect(decimal=",")) == (";", ",")
    assert found(text, Dialect(decimal=".")) == (";", ".")


def test_both_signs_for_fractions_must_be_named() -> None:
    with pytest.raises(UnclearDialect, match="a decimal comma, and some a decimal point; name the decimal"):
        found("years;code\n2,5;1\n2.5;1\n")


def test_only_columns_of_numbers_tell_the_decimal_sign() -> None:
    assert found("years;code;town;note\n1.5;2.5;2,5;2,5\n") == (";", ".")
    assert found("years;code\n1;2,5\n") == (";", ",")


def test_a_decimal_comma_among_commas_must_be_named() -> None:
    text = 'years,code\n"2,5",1\n'
    assert found(text) == (",", ".")
    assert found(text, Dialect(decimal=",")) == (",", ",")


@given(st.text(), st.sampled_from([None, SCHEMA]))
def test_any_text_has_a_dialect_or_is_unclear(text: str, schema: Schema | None) -> None:
    try:
        delimiter, decimal = find_dialect(text.encode(errors="replace"), Dialect(), schema)
    except UnclearDialect:
        return
    assert delimiter in {",", ";", "\t", "|"}
    assert decimal in {".", ",", ""}


def test_the_encoding_is_that_of_the_mark_or_the_named_one() -> None:
    assert find_encoding(codecs.BOM_UTF8 + b"a", "cp1252") == "utf-8"
    assert find_encoding("a".encode("utf-16")) == "utf-16"
    assert find_encoding(codecs.BOM_UTF16_BE + b"\0a") == "utf-16"
    assert (find_encoding(b"a"), find_encoding(b"a", "cp1252")) == ("utf-8", "cp1252")
    with pytest.raises(UnclearDialect, match="this is UTF-32"):
        find_encoding("a".encode("utf-32"))
