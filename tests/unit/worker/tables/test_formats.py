"""Every format can be read and written; the scores are those of XGBoost, in the order of the rows."""

from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from pyarrow.parquet import encryption

from jobs.errors import InvalidTable
from jobs.files.tables import MOST_COLUMNS, NOT_UTF8, Format
from tests.unit.worker.tables.conftest import (
    WRITERS,
    Sample,
    ScoreTable,
    as_csv,
    as_ndjson,
    as_parquet,
    read,
)
from worker.tables import plan
from worker.tables.plan import FIRST_ROWS
from worker.tables.read import NAME_IN_USE


def number(value: Any) -> Any:
    """The value as a float32, whether the result has it as a number or as text."""
    return np.float32(value)


@pytest.mark.parametrize("results", Format)
@pytest.mark.parametrize("kind", Format)
def test_each_row_has_its_score_in_the_order_of_the_input(
    score_table: ScoreTable, sample: Sample, kind: Format, results: Format
) -> None:
    scored = score_table(WRITERS[kind](sample.rows), kind, results, chunk=2000)
    lines = read(scored.result, results)
    assert [line["id"] for line in lines] == [row["id"] for row in sample.rows]
    given = [number(line["prediction"]) for line in lines]
    assert given == [np.float32(score) for score in sample.scores]
    assert {line["error"] or None for line in lines} == {None}
    assert list(lines[0]) == ["id", "prediction", "error"]
    assert (scored.rows, scored.failed, scored.errors) == (500, 0, [])
    assert scored.chunks > 1


def test_scores_are_written_in_the_shortest_form_that_reads_back_the_same(
    score_table: ScoreTable, sample: Sample
) -> None:
    for kind in (Format.CSV, Format.NDJSON):
        result = score_table(WRITERS[kind](sample.rows), kind).result.decode()
        for score in sample.scores:
            assert f"{score}," in result


@pytest.mark.parametrize("results", Format)
@pytest.mark.parametrize("kind", Format)
def test_a_bad_row_has_its_reason_and_harms_no_other(
    score_table: ScoreTable, sample: Sample, kind: Format, results: Format
) -> None:
    rows = [dict(row) for row in sample.rows]
    for bad in range(0, 500, 100):
        rows[bad] |= {"age": 3, "town": "Rome, or so"}
    scored = score_table(WRITERS[kind](rows), kind, results, chunk=2000)
    lines = read(scored.result, results)
    for position, line in enumerate(lines):
        if position % 100:
            assert not line["error"]
            assert number(line["prediction"]) == np.float32(sample.scores[position])
        else:
            assert line["error"] == "age must be at least 16; town must be one of: Bern, Gent"
            assert line["prediction"] in (None, "")
            assert line["id"] == rows[position]["id"]
    assert [error["row"] for error in scored.errors] == [0, 100, 200, 300, 400]
    assert scored.errors[3]["errors"] == [
        {"pointer": "/age", "detail": "must be at least 16"},
        {"pointer": "/town", "detail": "must be one of: Bern, Gent"},
    ]
    assert scored.failed == 5


def test_columns_may_come_in_any_order_and_inputs_are_included_if_requested(
    score_table: ScoreTable,
) -> None:
    data = b'town,note,years,age\nBern,"a ""b"", c",1.50,\nGent,"two\nlines",x,20\n'
    result = score_table(data, Format.CSV, include_inputs=True, scored=("our_prediction", "our_error")).result
    first, second, third, *_ = result.split(b"\n")
    assert first == b"town,note,years,age,our_prediction,our_error"
    assert second.startswith(b'Bern,"a ""b"", c",1.50,,') and second.endswith(b",")  # noqa: PT018
    assert third == b'Gent,"two'
    assert result.endswith(b'lines",x,20,,years must be a number\n')


def test_lines_that_are_not_rows_keep_their_position_in_the_results(score_table: ScoreTable) -> None:
    data = b"id,years,age,town\na,1,20,Bern\nb,1\n\nc,2,20,Gent\nd,1,20,Bern,9\n"
    scored = score_table(data, Format.CSV)
    lines = read(scored.result, Format.CSV)
    assert [line["id"] for line in lines] == ["a", "", "c", ""]
    assert [line["error"] for line in lines] == [
        "",
        "has 2 fields, the header has 4",
        "",
        "has 5 fields, the header has 4",
    ]
    assert [error["row"] for error in scored.errors] == [1, 3]
    assert scored.errors[0]["errors"][0]["pointer"] == ""


def test_every_line_of_a_long_chunk_keeps_its_position(score_table: ScoreTable) -> None:
    lines = [f"{row},1,20,Bern" if row % 97 else f"{row}" for row in range(60_000)]
    scored = score_table("\n".join(["id,years,age,town", *lines]).encode(), Format.CSV)
    found = read(scored.result, Format.CSV)
    assert [row for row, line in enumerate(found) if line["error"]] == list(range(0, 60_000, 97))
    assert all(line["id"] == str(row) for row, line in enumerate(found) if row % 97)


def test_lines_that_are_not_objects_keep_their_position_in_the_results(score_table: ScoreTable) -> None:
    good = b'{"id":1,"years":1,"age":20,"town":"Bern"}'
    bad = [b"{", b"[1]", b"", b'{"id":2,"prediction":1}', b'{"years":1e999,"id":[3]}']
    data = b"\n".join([good] * FIRST_ROWS + bad + [good])
    scored = score_table(data, Format.NDJSON)
    lines = read(scored.result, Format.NDJSON)[FIRST_ROWS - 1 :]
    assert [line["error"] for line in lines] == [
        None,
        "is not a JSON object",
        "is not a JSON object",
        NAME_IN_USE,
        "years must fit a 32-bit float; town is missing",
        None,
    ]
    assert [line.get("id") for line in lines] == [1, None, None, None, [3], 1]
    assert lines[0]["prediction"] == lines[-1]["prediction"]


def test_bytes_that_are_not_utf_8_fail_their_row(score_table: ScoreTable) -> None:
    data = "id,years,age,town\nJosé,1,20,Bern\nJoe,1,20,Bern\n".encode("latin-1")
    scored = score_table(data, Format.CSV)
    assert [error["row"] for error in scored.errors] == [0]
    assert "name the encoding of the file" in scored.errors[0]["errors"][0]["detail"]
    assert "Jos\ufffd,,".encode() in scored.result


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_make_no_difference(
    score_table: ScoreTable, sample: Sample, end: str, mark: str
) -> None:
    plain = score_table(as_csv(sample.rows), Format.CSV).result
    for last in ("", end):
        data = mark.encode() + as_csv(sample.rows, end) + last.encode()
        assert score_table(data, Format.CSV).result == plain


def test_a_row_group_is_read_in_pieces(score_table: ScoreTable, sample: Sample) -> None:
    whole = score_table(as_parquet(sample.rows), Format.PARQUET, Format.CSV)
    for groups in (500, 130):
        data = as_parquet(sample.rows, row_group_size=groups)
        assert score_table(data, Format.PARQUET, Format.CSV, chunk=100).result == whole.result


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"", Format.CSV, "the file is empty"),
        (b"\n\n", Format.CSV, "the file is empty"),
        (b"years,age,town\n", Format.CSV, "the file has no rows"),
        (
            b"Years;age;Towns\n1;20;Bern\n",
            Format.CSV,
            "no column years; there is Years; there is no column town; ",
        ),
        (b"years,age\n1,20\n", Format.CSV, "there is no column town"),
        (b"years,age,town,age\n", Format.CSV, "column 'age' occurs twice"),
        (b"years,age,town,error\n", Format.CSV, "'error' has the name of a column that results add"),
        (b"\x00\x01\x02\xff\n", Format.CSV, "line 1: this is not text"),
        (b"years,town\n1,Bern\n1,Be\0rn\n", Format.CSV, "line 3: this is not text, it has a zero byte"),
        ("years,âge".encode("utf-16"), Format.CSV, "if it is UTF-16, name the encoding"),
        (b"name,years;town|age\n1,20;Bern|3\n", Format.CSV, "separated by comma or semicolon or pipe; name"),
        (b'years,age,town\n1,20,Bern\n"1,20,Bern\n1,20,Bern\n', Format.CSV, "line 3: "),
        (b"years,age,town\n", Format.NDJSON, "none of the first lines"),
        (b"PAR1 and then nothing", Format.PARQUET, "not Parquet, or its end is missing"),
        (as_parquet([{"years": 1}]), Format.PARQUET, "there is no column town"),
        (as_parquet([{"years": 1.5, "age": 20, "town": "Bern"}])[:-9], Format.PARQUET, "its end is missing"),
    ],
)
def test_a_file_that_is_not_a_table_is_refused_with_a_reason(
    score_table: ScoreTable, data: bytes, kind: Format, reason: str
) -> None:
    with pytest.raises(InvalidTable, match=reason):
        score_table(data, kind)


@pytest.mark.parametrize("results", Format)
def test_a_member_that_appears_late_is_never_dropped_silently(
    score_table: ScoreTable, results: Format
) -> None:
    row = {"years": 1, "age": 20, "town": "Bern"}
    data = as_ndjson([row | {"first": [1]}] * FIRST_ROWS + [row | {"first": [2], "late": 2}, row])
    scored = score_table(data, Format.NDJSON, results)
    early, late, last = read(scored.result, results)[FIRST_ROWS - 1 :]
    assert early["first"] in ([1], "[1]")
    assert early["prediction"] == last["prediction"]
    if results is Format.NDJSON:
        assert (late["late"], scored.failed) == (2, 0)
    else:
        assert (
            late["error"]
            == "has the member 'late', for which the results have no column; send results=ndjson"
        )
        assert (late["first"], scored.failed) == ("[2]", 1)


@pytest.mark.parametrize("results", Format)
def test_a_feature_that_appears_late_is_included_if_requested(
    score_table: ScoreTable, results: Format
) -> None:
    row = {"years": 1, "town": "Bern"}
    data = as_ndjson([row] * FIRST_ROWS + [row | {"age": 20}, {"age": 20}])
    lines = read(score_table(data, Format.NDJSON, results, include_inputs=True).result, results)
    assert lines[0]["error"] in (None, "")
    assert (str(lines[-2]["age"]), lines[-2]["error"] or None) == ("20", None)
    assert lines[-1]["error"] == "years is missing; town is missing"


MANY = {
    "large": pa.array([2**63, 2**64 - 1], pa.uint64()),
    "price": pa.array(["1.10", "-2.00"]).cast(pa.decimal128(5, 2)),
    "image": pa.array([b"\xff\x00", b"text"], pa.binary()),
    "seen": pa.array([1, 1_700_000_000_123_456_789], pa.timestamp("ns")),
    "day": pa.array([0, 20_000], pa.date32()),
    "tags": pa.array([["a"], None], pa.list_(pa.string())),
}


def as_table_of_many_types() -> bytes:
    features = {"years": [1.5, 2.5], "age": [20, None], "town": ["Bern", "Gent"]}
    written = BytesIO()
    pyarrow.parquet.write_table(pa.table({**MANY, **features}), written)
    return written.getvalue()


def test_columns_of_parquet_are_passed_through_as_they_are(score_table: ScoreTable) -> None:
    result = score_table(as_table_of_many_types(), Format.PARQUET).result
    table = pyarrow.parquet.read_table(BytesIO(result))
    for name, column in MANY.items():
        assert table[name].type == column.type
        assert table[name].combine_chunks().equals(column)


def test_scores_in_parquet_have_no_dictionary_and_texts_have(score_table: ScoreTable) -> None:
    rows = [{"years": number / 7, "age": 20, "town": "Bern", "note": "the same"} for number in range(500)]
    result = score_table(as_parquet(rows), Format.PARQUET).result
    group = pyarrow.parquet.ParquetFile(BytesIO(result)).metadata.row_group(0)
    columns = [group.column(position) for position in range(group.num_columns)]
    encodings = {column.path_in_schema: set(column.encodings) for column in columns}
    assert not any("DICTIONARY" in encoding for encoding in encodings["prediction"])
    assert any("DICTIONARY" in encoding for encoding in encodings["note"])


def test_columns_of_parquet_keep_their_values_as_text(score_table: ScoreTable) -> None:
    first, second = score_table(as_table_of_many_types(), Format.PARQUET, Format.NDJSON).result.splitlines()
    assert first.startswith(
        b'{"large":9223372036854775808,"price":1.10,"image":"base64:/wA=",'
        b'"seen":"1970-01-01 00:00:00.000000001","day":"1970-01-01","tags":["a"],"prediction":'
    )
    assert b'"price":-2.00,"image":"text","seen":"2023-11-14 22:13:20.123456789"' in second
    _, row, *_ = score_table(as_table_of_many_types(), Format.PARQUET, Format.CSV).result.splitlines()
    assert row.startswith(b"9223372036854775808,1.10,base64:/wA=,1970-01-01 00:00:00.000000001,1970-01-01,")


def test_numbers_of_ndjson_keep_their_form_in_csv(score_table: ScoreTable) -> None:
    line = b'{"id":18446744073709551616,"far":1E400,"in":[1.10],"years":1.50,"age":2e1,"town":"Bern"}'
    lines = read(score_table(line, Format.NDJSON, Format.CSV).result, Format.CSV)
    assert (lines[0]["id"], lines[0]["far"], lines[0]["in"]) == ("18446744073709551616", "1E400", "[1.10]")
    assert lines[0]["error"] == ""


def test_a_decimal_comma_is_read_and_passed_through(score_table: ScoreTable) -> None:
    data = b"id;years;age;town\n1,5;2,5;20;Bern\n1.000,5;1.000,5;20;Bern\n"
    scored = score_table(data, Format.CSV, include_inputs=True)
    same = score_table(b"id,years,age,town\n1,2.5,20,Bern\n", Format.CSV)
    first, second = read(scored.result, Format.CSV)
    assert first["prediction"] == read(same.result, Format.CSV)[0]["prediction"]
    assert (first["id"], first["years"]) == ("1,5", "2,5")
    assert (second["years"], second["error"]) == ("1.000,5", "years must be a number")


def test_a_number_that_may_be_thousands_fails_where_no_number_before_tells_the_decimal_sign(
    score_table: ScoreTable,
) -> None:
    data = b"id;years;age;town\n" + b"x;2;20;Bern\n" * 200 + b"1.234;1.234;20;Bern\ny;2.5;20;Bern\n"
    *whole, unclear, clear = read(score_table(data, Format.CSV).result, Format.CSV)
    assert {row["error"] for row in whole} == {""}
    assert unclear["error"].startswith("years may have a fraction with three digits, or thousands;")
    assert (unclear["id"], clear["error"]) == ("1.234", "")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_fields_are_quoted_for_the_delimiter_of_the_input(score_table: ScoreTable, delimiter: str) -> None:
    rows = [["id", "years", "age", "town"], ['"a{0}b\nc"', "1.5", "20", "Bern"], ["x,y", "2.5", "", "Gent"]]
    data = "\n".join(delimiter.join(row) for row in rows).replace("{0}", delimiter).encode()
    for chunk in (None, 30):
        lines = read(score_table(data, Format.CSV, chunk=chunk).result, Format.CSV)
        assert [line["id"] for line in lines] == [f"a{delimiter}b\nc", "x,y"]
        assert all(line["prediction"] for line in lines)


class OpenKeys(encryption.KmsClient):  # type: ignore[misc]
    """Keeps no key secret."""

    def __init__(self, _: Any) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, _: str) -> bytes:
        return b64encode(key)


@pytest.mark.parametrize("plain_footer", [True, False])
def test_an_encrypted_parquet_file_is_named(score_table: ScoreTable, plain_footer: bool) -> None:
    options = encryption.EncryptionConfiguration(
        footer_key="f", column_keys={"c": ["town"]}, plaintext_footer=plain_footer
    )
    keys = encryption.CryptoFactory(OpenKeys)
    properties = keys.file_encryption_properties(encryption.KmsConnectionConfig(), options)
    table = pa.table({"years": [1.5], "age": [20], "town": ["Bern"]})
    written = BytesIO()
    with pyarrow.parquet.ParquetWriter(written, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    with pytest.raises(InvalidTable, match="this Parquet file is encrypted, or some of its columns are"):
        score_table(written.getvalue(), Format.PARQUET)


def test_a_row_of_csv_that_is_neither_complete_nor_utf8_harms_no_other(score_table: ScoreTable) -> None:
    data = b"id,years,age,town\na,1,20,Bern\n\x80\xff\nb,\xff,20,Gent\n\xc3\xa9,2,20,Gent\n"
    lines = read(score_table(data, Format.CSV).result, Format.CSV)
    assert [line["id"] for line in lines] == ["a", "", "b", "é"]
    assert [line["error"] for line in lines] == ["", "has 1 fields, the header has 4", NOT_UTF8, ""]


@pytest.mark.parametrize("kind", Format)
def test_formulas_are_escaped_if_requested_and_numbers_are_not(score_table: ScoreTable, kind: Format) -> None:
    formulas = [
        "=1+1",
        "+A1",
        "-A1",
        '@SUM("1")',
        "\tx",
        "-2+3",
        *(["\rx"] if kind is not Format.CSV else []),
    ]
    others = ["-2.5", "+3", "-1e5", "-,5", "a=b", "'", ""]
    rows = [{"years": 1, "age": 20, "town": "Bern", "=note": note} for note in formulas + others]
    lines = read(score_table(WRITERS[kind](rows), kind, Format.CSV, escapes=True).result, Format.CSV)
    assert [line["'=note"] for line in lines] == [f"'{text}" for text in formulas] + others
    plain = read(score_table(WRITERS[kind](rows), kind, Format.CSV).result, Format.CSV)
    assert [line["=note"] for line in plain] == formulas + others


@pytest.mark.parametrize("results", [Format.CSV, Format.NDJSON])
def test_a_text_of_parquet_that_is_not_utf8_is_passed_as_bytes(
    score_table: ScoreTable, sample: Sample, results: Format
) -> None:
    rows = [row | {"note": "xyz", "list": ["abc"]} for row in sample.rows[:2]]
    data = as_parquet(rows, use_dictionary=False, compression="none")
    note = data.replace(b"xyz", b"x\xffz")
    lines = read(score_table(note, Format.PARQUET, results).result, results)
    assert [line["note"] for line in lines] == [f"base64:{b64encode(bytes([120, 255, 122])).decode()}"] * 2
    with pytest.raises(InvalidTable, match="a text in a list or struct is not UTF-8"):
        score_table(data.replace(b"abc", b"a\xffc"), Format.PARQUET, results)


@pytest.mark.parametrize("results", [Format.NDJSON, Format.CSV, Format.PARQUET])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_row_that_is_nested_too_deeply_fails_alone(
    score_table: ScoreTable, results: Format, opening: str
) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    row = '{"years":1,"age":20,"town":"Bern","note":%s}\n'
    notes = [opening * deep + "1" + closing * deep for deep in (0, 249, 250, 900, 1022)]
    scored = score_table("".join(row % note for note in notes).encode(), Format.NDJSON, results)
    assert [error["row"] for error in scored.errors] == [2, 3, 4]
    assert "more than 250 levels deep" in str(scored.errors)
    assert (scored.rows, scored.failed) == (5, 3)


def test_a_wide_row_with_many_brackets_is_no_deep_one(score_table: ScoreTable) -> None:
    row = b'{"years":1,"age":20,"town":"Bern","note":[%s]}\n' % b",".join([b"[1]"] * 1000)
    assert score_table(row, Format.NDJSON).failed == 0


def test_a_name_of_a_parquet_column_that_is_not_utf8_is_refused(score_table: ScoreTable) -> None:
    data = as_parquet([{"years": 1.5, "age": 20, "town": "Bern", "n\u00e9": 1}])
    with pytest.raises(InvalidTable, match="the name of a column is not UTF-8"):
        score_table(data.replace("n\u00e9".encode(), b"n\xff\xfe"), Format.PARQUET)


@pytest.mark.parametrize("kind", [Format.CSV, Format.PARQUET, Format.NDJSON])
def test_a_table_with_too_many_columns_is_refused(score_table: ScoreTable, kind: Format) -> None:
    row = {f"c{number}": 1 for number in range(MOST_COLUMNS + 1)}
    with pytest.raises(InvalidTable, match="has 10001 columns; at most 10000 are allowed"):
        score_table(WRITERS[kind]([row]), kind)


def test_small_row_groups_share_a_chunk(score_table: ScoreTable, sample: Sample) -> None:
    scored = score_table(as_parquet(sample.rows, row_group_size=3), Format.PARQUET)
    assert (scored.chunks, scored.rows) == (1, 500)
    found = [row["prediction"] for row in read(scored.result, Format.PARQUET)]
    assert [float(np.float32(score)) for score in sample.scores] == found


def test_a_parquet_footer_that_is_too_large_is_refused(
    score_table: ScoreTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "LARGEST_FOOTER", 1000)
    data = as_parquet([{"years": 1.5, "age": 20, "town": "Bern"}] * 100, row_group_size=1)
    with pytest.raises(InvalidTable, match=r"the footer of the file has .* larger row groups"):
        score_table(data, Format.PARQUET)
