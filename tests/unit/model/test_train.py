"""A table becomes a bundle: its schema is found, and problems are reported in one line each."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from model.bundle import Bundle
from model.description.schema import InvalidRows
from tests.unit.jobs.files.test_unpacking import zipped
from tests.unit.model.command import made, refusal, run, write_csv


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = load_diabetes()
    rows = np.column_stack([data.data, data.target])
    return write_csv(tmp_path_factory.mktemp("tables") / "diabetes.csv", [*data.feature_names, "y"], rows)


@pytest.fixture
def rents(tmp_path: Path) -> Path:
    """A table with every type of column, and with unusual names."""
    heating = ["gas", "oil", "wärme"]
    rows = [
        [
            n % 7,
            n / 3 + 0.5,
            heating[n % 3],
            "true" if n % 2 else "false",
            "" if n % 5 == 0 else n % 4,
            30 * n,
        ]
        for n in range(120)
    ]
    names = ["rooms", 'size in "m²"', "heating [kind]", "lift, new", "floor", "rent"]
    return write_csv(tmp_path / "Rents 2026.csv", names, rows)


def test_the_schema_is_found_in_the_table(rents: Path, tmp_path: Path) -> None:
    manifest = made("train", rents, "--target", "rent", "--unit", "euros", "--output", tmp_path / "out")
    assert (manifest.ref, manifest.target, manifest.unit) == ("rents-2026@1", "rent", "euros")
    assert manifest.schema.to_list() == [
        {"name": "rooms", "type": "number", "observed": {"minimum": 0, "maximum": 6}},
        {"name": 'size in "m²"', "type": "number", "observed": {"minimum": 0.5, "maximum": 119 / 3 + 0.5}},
        {"name": "heating [kind]", "type": "category", "categories": ["gas", "oil", "wärme"]},
        {"name": "lift, new", "type": "boolean"},
        {"name": "floor", "type": "number", "nullable": True, "observed": {"minimum": 0, "maximum": 3}},
    ]
    assert manifest.training["data"] == "Rents 2026.csv"
    assert len(manifest.golden.rows) == 12


def test_the_schema_is_found_in_a_parquet_table(rents: Path, tmp_path: Path) -> None:
    columns = {
        "rooms": pa.array([1, 2, None] * 20, pa.int32()),
        "heating": pa.array(["oil", "gas", "oil"] * 20).dictionary_encode(),
        "lift": pa.array([True, False, True] * 20),
        "rent": pa.array(np.arange(60), pa.float32()),
    }
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "r.parquet")
    manifest = made("train", tmp_path / "r.parquet", "--target", "rent", "--output", tmp_path / "out")
    assert [(one.name, one.type, one.nullable) for one in manifest.schema.features] == [
        ("rooms", "number", True),
        ("heating", "category", False),
        ("lift", "boolean", False),
    ]


ROWS = 60


def table_of_every_type() -> pd.DataFrame:
    numbers = np.arange(ROWS)
    return pd.DataFrame(
        {
            "month": numbers % 4 + 1,
            "size": np.where(numbers % 5, numbers / 4, np.nan),
            "lift": numbers % 2 == 0,
            "town": np.array(["Bern", "Gent", "Nice"])[numbers % 3],
            "rent": numbers * 10.0,
        }
    )


def write_parquet(file: Path, table: pd.DataFrame) -> Path:
    table.to_parquet(file)
    return file


def write_text(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def test_a_table_means_the_same_in_csv_and_in_parquet(tmp_path: Path) -> None:
    table = table_of_every_type()
    text = table.to_csv(index=False)
    tables = [
        write_text(tmp_path / "pandas.csv", text),
        write_text(tmp_path / "r.csv", text.replace("True", "TRUE").replace("False", "FALSE")),
        write_parquet(tmp_path / "pandas.parquet", table),
    ]
    first, *others = (
        made("train", file, "--target", "rent", "--output", tmp_path / f"of-{file.name}") for file in tables
    )
    types = [feature.type for feature in first.schema.features]
    assert types == ["number", "number", "boolean", "category"]
    for other in others:
        assert other.schema.to_list() == first.schema.to_list()
        assert other.golden == first.golden


def test_numbers_that_their_writer_marked_as_categories_are_categories(tmp_path: Path) -> None:
    table = table_of_every_type().astype({"month": "category"})
    manifest = made(
        "train", write_parquet(tmp_path / "t.parquet", table), "--target", "rent", "--output", tmp_path
    )
    assert manifest.schema.features[0].categories == ("1", "2", "3", "4")
    row = manifest.examples[0]
    for month in ("3", 3, 3.0):
        assert manifest.schema.check_row({**row, "month": month})[0] == "3"


def test_texts_for_missing_values_are_kept_in_the_bundle(tmp_path: Path) -> None:
    text = table_of_every_type().to_csv(index=False, na_rep=" n/a")
    options = ("--target", "rent", "--missing", "n/a,?", "--output", tmp_path)
    manifest = made("train", write_text(tmp_path / "t.csv", text), *options)
    assert manifest.missing_texts == ["n/a", "?"]
    row = manifest.examples[0]
    assert manifest.schema.check_row({**row, "size": "n/a"})[1] is None


def test_the_index_of_a_data_frame_is_not_learned(tmp_path: Path) -> None:
    table = table_of_every_type().sample(ROWS, random_state=1)
    twice = table.reset_index().rename(columns={"index": "Unnamed: 0"})
    for file, name in (
        (write_parquet(tmp_path / "t.parquet", table), "'__index_level_0__'"),
        (write_text(tmp_path / "t.csv", table.to_csv()), "''"),
        (write_text(tmp_path / "read-again.csv", twice.to_csv(index=False)), "'Unnamed: 0'"),
    ):
        out = tmp_path / f"{file.name}-bundles"
        result = run("train", file, "--target", "rent", "--output", out)
        assert (
            f"warning: column {name} is the index of a data frame and is left out" in result.err.splitlines()
        )
        manifest = made("train", file, "--target", "rent", "--output", out)
        assert manifest.schema.names == ("month", "size", "lift", "town")


def test_the_owner_says_what_an_unseen_category_is(tmp_path: Path) -> None:
    file = write_text(tmp_path / "t.csv", table_of_every_type().to_csv(index=False))
    limits = write_text(tmp_path / "limits.json", '{"town": {"unseen": "missing"}}')
    manifest = made("train", file, "--target", "rent", "--limits", limits, "--output", tmp_path)
    assert manifest.schema.check_row({**manifest.examples[0], "town": "Rome"})[3] is None
    limits = write_text(tmp_path / "limits.json", '{"town": {"unseen": "unknown"}}')
    refused = run("train", file, "--target", "rent", "--limits", limits, "--output", tmp_path)
    assert "feature 'town': unseen: unknown needs a bundle with steps" in refused.err


def test_a_table_may_be_written_in_any_dialect(tmp_path: Path) -> None:
    table = table_of_every_type()
    plain = table.to_csv(index=False)
    german = "sep=;\r\n" + table.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    files = {
        "plain.csv": plain.encode(),
        "excel.csv": german.encode("utf-8-sig"),
        "tab.tsv": table.to_csv(index=False, sep="\t").encode("utf-16"),
        "packed.csv.gz": gzip.compress(plain.encode()),
        "packed.zip": zipped({"a.csv": german.encode()}),
    }
    golden = []
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        out = ("--name", "rents", "--output", tmp_path / f"of-{name}")
        golden.append(made("train", tmp_path / name, "--target", "rent", *out).golden)
    assert golden == [golden[0]] * len(files)


def test_the_dialect_of_a_table_may_be_named(tmp_path: Path) -> None:
    text = "größe;lage,x;y\n" + "".join(f"{n},{100 + n};{n},{n};{n}\n" for n in range(1, 60))
    (tmp_path / "t.csv").write_bytes(text.encode("cp1252"))
    options = ("--delimiter", "semicolon", "--decimal", "comma", "--encoding", "windows-1252")
    manifest = made("train", tmp_path / "t.csv", "--target", "y", *options, "--output", tmp_path)
    assert manifest.schema.names == ("größe", "lage,x")
    assert manifest.golden.rows[0] == [1.101, 1.1]


def test_an_index_with_a_name_is_a_column(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "t.parquet", table_of_every_type().set_index("month"))
    assert "month" in made("train", file, "--target", "rent", "--output", tmp_path).schema.names


def test_whole_numbers_are_numbers_unless_their_owner_says_otherwise(tmp_path: Path) -> None:
    file = write_text(tmp_path / "t.csv", table_of_every_type().to_csv(index=False))
    manifest = made("train", file, "--target", "rent", "--output", tmp_path)
    assert manifest.schema.check_row({**manifest.examples[0], "month": 1.5})[0] == 1.5
    limits = write_text(tmp_path / "limits.json", '{"month": {"type": "integer"}}')
    manifest = made("train", file, "--target", "rent", "--limits", limits, "--output", tmp_path / "whole")
    with pytest.raises(InvalidRows, match="/inputs/month must be an integer"):
        manifest.schema.check_row({**manifest.examples[0], "month": 1.5})


def test_the_same_seed_gives_the_same_bundle_and_another_seed_another(diabetes: Path, tmp_path: Path) -> None:
    first, same, other = (
        made("train", diabetes, "--target", "y", "--output", tmp_path / folder, "--seed", seed)
        for folder, seed in (("a", "7"), ("b", "7"), ("c", "8"))
    )
    assert first.sha256 == same.sha256 != other.sha256


def test_metrics_are_shown_beside_a_constant_and_a_linear_model(diabetes: Path, tmp_path: Path) -> None:
    result = run("train", diabetes, "--target", "y", "--output", tmp_path)
    assert result.out.splitlines()[0].split() == [
        "mean",
        "absolute",
        "error",
        "root",
        "mean",
        "squared",
        "error",
        "r2",
    ]
    manifest = made("train", diabetes, "--target", "y", "--output", tmp_path)
    assert list(manifest.metrics) == ["model", "constant", "linear"]
    model, constant = (manifest.metrics[one]["mean_absolute_error"] for one in ("model", "constant"))
    assert model["mean"] + model["deviation"] < constant["mean"]
    assert f"{model['mean']:.4g} ± {model['deviation']:.2g}" in result.out


def test_training_stops_early(diabetes: Path, tmp_path: Path) -> None:
    assert 1 <= made("train", diabetes, "--target", "y", "--output", tmp_path).trees < 500


def test_quantiles_add_an_interval_with_the_expected_coverage(diabetes: Path, tmp_path: Path) -> None:
    manifest = made("train", diabetes, "--target", "y", "--quantiles", "0.1,0.9", "--output", tmp_path)
    assert manifest.quantiles == [0.1, 0.5, 0.9]
    assert 0.6 < manifest.metrics["model"]["interval_coverage"]["mean"] < 0.9


def test_a_log_target_is_measured_in_its_own_unit(diabetes: Path, tmp_path: Path) -> None:
    manifest = made("train", diabetes, "--target", "y", "--log", "--output", tmp_path)
    assert manifest.transform == "log"
    assert 40 < manifest.metrics["model"]["mean_absolute_error"]["mean"] < 60
    assert all(20 < one < 350 for one in manifest.golden.predictions)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_classes_are_named_and_predicted(load: object, tmp_path: Path) -> None:
    data = load()  # type: ignore[operator]
    rows = [[*row, data.target_names[target]] for row, target in zip(data.data, data.target, strict=True)]
    table = write_csv(tmp_path / "table.csv", [*data.feature_names, "class"], rows)
    manifest = made("train", table, "--target", "class", "--classify", "--output", tmp_path / "out")
    assert list(manifest.classes) == sorted(data.target_names)
    bundle = Bundle.load(manifest)
    outputs = bundle.outputs(np.asarray(data.data, dtype=np.float32))
    assert outputs.labels is not None
    right = np.mean(np.array(outputs.labels) == data.target_names[data.target])
    assert right > manifest.metrics["model"]["accuracy"]["mean"] - 0.05 > 0.85


def test_limits_are_published_and_rows_beyond_them_are_left_out(diabetes: Path, tmp_path: Path) -> None:
    limits = tmp_path / "limits.json"
    limits.write_text('{"bmi": {"minimum": 0, "maximum": 0.1, "description": "Body mass"}}')
    result = run("train", diabetes, "--target", "y", "--limits", limits, "--output", tmp_path / "out")
    manifest = made("train", diabetes, "--target", "y", "--limits", limits, "--output", tmp_path / "out")
    bmi = next(feature for feature in manifest.schema.features if feature.name == "bmi")
    assert (bmi.minimum, bmi.maximum, bmi.description) == (0, 0.1, "Body mass")
    assert "rows are outside the limits and are left out" in result.err
    assert manifest.training["rows"] < 442


def test_a_column_can_be_the_base_margin(diabetes: Path, tmp_path: Path) -> None:
    manifest = made("train", diabetes, "--target", "y", "--base-margin", "s5", "--output", tmp_path)
    assert manifest.schema.base_margin == 8
    assert manifest.schema.features[8].name == "s5"


def test_problems_of_the_data_are_warnings_and_do_not_stop_the_training(tmp_path: Path) -> None:
    chance = np.random.default_rng(0).normal(size=(100, 2))
    rows = [[a, a, 1, 2 * b, f"person {n}", b] for n, (a, b) in enumerate(chance.tolist())]
    table = write_csv(tmp_path / "t.csv", ["a", "again", "same", "twice", "who", "y"], rows)
    result = run("train", table, "--target", "y", "--output", tmp_path / "out")
    assert result.status == 0
    assert [line.partition(": ")[2] for line in result.err.splitlines()] == [
        "column 'who' has 100 different texts and is left out",
        "100 rows are few, so the metrics below are not reliable",
        "column 'same' has the same value in every row; consider --drop 'same'",
        "column 'twice' alone explains 100.0% of 'y'; check that it is known before the target is",
        "columns 'a' and 'again' are the same; consider --drop 'again'",
    ]


def test_a_fold_without_a_rare_class_leaves_out_what_it_cannot_measure(tmp_path: Path) -> None:
    rows = [[n % 7, n % 5, "yes" if n % 20 == 0 else "no"] for n in range(60)]
    table = write_csv(tmp_path / "t.csv", ["a", "b", "y"], rows)
    manifest = made(
        "train", table, "--target", "y", "--classify", "--rounds", "3", "--output", tmp_path / "out"
    )
    area = manifest.metrics["model"]["area_under_roc"]
    assert 0 <= area["mean"] <= 1


NUMBERS = "\n".join(f"{n},{n % 3},{n % 2}" for n in range(40))


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("", [], "has no columns"),
        ("a,b,y\n", [], "has no rows"),
        ("a,a,y\n1,2,3\n", [], "has two columns with the name 'a'"),
        ("a,,y\n1,2,3\n", [], "has a column without a name"),
        ("a,b;y\n1,2;3\n", [], "the columns may be separated by comma or semicolon; name the delimiter"),
        ("a;y\n1,234;3\n", [], "may be fractions, or thousands; name the decimal"),
        ("a;y\n" + "1;3\n" * 200 + "1,234;3\n", [], "may be fractions, or thousands; name the decimal"),
        ("a,y\n1,2,3\n", [], "is not a complete CSV or Parquet table"),
        ("a,y\n\udcff,2\n", [], "is not a complete CSV or Parquet table"),
        ("PAR1 cut short", [], "is not a complete CSV or Parquet table"),
        ("a,b,y\n1,2,3\n", [], "has 1 rows to learn from; at least 10 are needed"),
        (f"a,b,x\n{NUMBERS}", [], "has no column 'y'; it has 'a', 'b', 'x'"),
        (f"a,b,y\n{NUMBERS}", ["--drop", "c"], "has no column 'c'"),
        ("a,y\n" + "1,\n" * 20, [], "column 'y' has no value in any row"),
        ("a,b,y\n" + "1,,2\n" * 20, [], "column 'b' has no value in any row; leave it out: --drop 'b'"),
        ("a,y\n" + "1,2\n" * 20, [], "target 'y' has the same value in every row; predict another column"),
        *(
            (f"a,y\n{rows * 20}", [], "target 'y' is not a number; --classify predicts its classes")
            for rows in ("1,x\n2,z\n", "1,True\n2,Maybe\n")
        ),
        ("a,y\n" + "1,x\n2,x\n" * 20 + "1,z\n", ["--classify"], "class 'z' occurs in only one row"),
        ("y\n" + "1\n2\n" * 20, [], "has no column to learn from besides 'y'"),
        (
            "a,y\n" + "NA,1\n2,2\n3,1\n" * 20,
            [],
            "numbers except for 'NA'; if these are missing values, add --missing",
        ),
        ("a,y\n" + "1e39,1\n2,2\n" * 20, [], "column 'a', row 1: must fit a 32-bit float"),
        (f"a,b,y\n{NUMBERS}", ["--objective", "reg:gamma"], "reg:gamma needs a target above 0"),
        (
            f"a,b,y\n{NUMBERS}",
            ["--objective", "rank"],
            "rank cannot be trained here; these objectives can",
        ),
        *(
            (
                f"a,b,y\n{NUMBERS}",
                ["--objective", name],
                f"{name} cannot be trained here; train the model with xgboost, save it with save_model, "
                "and run: python -m model import MODEL --target 'y'",
            )
            for name in ("rank:ndcg", "survival:cox", "survival:aft", "multi:softmax")
        ),
        (
            f"a,b,y\n{NUMBERS}",
            ["--classify", "--log"],
            "--log and --quantiles are for numbers",
        ),
        (f"a,b,y\n{NUMBERS}", ["--name", "../up"], "a name has 1 to 63 characters"),
    ],
)
def test_an_unsuitable_table_is_refused_in_one_line(
    tmp_path: Path, content: str, arguments: list[str], message: str
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(content, encoding="utf-8", errors="surrogateescape")
    out = tmp_path / "out"
    result = run("train", table, "--target", "y", "--output", out, *arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err.splitlines()[-1]
    assert not list(out.glob("*/*"))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold an object of features"),
        ('{"a": {"observed": 1}}', "'a' has the field 'observed'; the allowed fields are"),
        ('{"z": {"minimum": 1}}', "has no column 'z'"),
        ('{"a": {"minimum": 2, "maximum": 1}}', "minimum 2 is greater than maximum 1"),
    ],
)
def test_invalid_limits_are_refused(tmp_path: Path, limits: str, message: str) -> None:
    table = write_csv(tmp_path / "t.csv", ["a", "y"], [[n % 5, n % 7] for n in range(40)])
    (tmp_path / "limits.json").write_text(limits)
    error = refusal(
        "train", table, "--target", "y", "--limits", tmp_path / "limits.json", "--output", tmp_path
    )
    assert message in error
