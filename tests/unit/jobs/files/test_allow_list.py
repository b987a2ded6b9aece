"""Addresses on S3 that callers may name: whole folders, and no way out of them."""

import pytest

from jobs.files.allow_list import is_allowed

ALLOW = "s3://allowed/in,s3://salaries/2026/,s3://whole"


@pytest.mark.parametrize(
    "address",
    [
        *("s3://allowed/in/x.csv", "s3://allowed/in/deep/er/x.csv", "s3://allowed/in", "s3://allowed/in/"),
        *("s3://salaries/2026/x.csv", "s3://whole/x.csv", "s3://whole/a b%20c/é.csv", "s3://whole/..x/y"),
    ],
)
def test_a_folder_allows_what_is_in_it(address: str) -> None:
    assert is_allowed(address, ALLOW)


@pytest.mark.parametrize(
    "address",
    [
        *("s3://allowed/in-evil/x.csv", "s3://allowed/inx.csv", "s3://allowed/x.csv", "s3://allowed"),
        *("s3://allowed/in/../out/x.csv", "s3://allowed/in/..", "s3://allowed/in/./x", "s3://allowed/in//x"),
        *(
            "s3://allowed//in/x",
            "s3://allowed/in/%2e%2e/out/x",
            "s3://allowed/in/%2E./x",
            "s3://allowed/in%2fx",
        ),
        *(
            "s3://allowed/in/..%2fout/x",
            "s3://wholesale/x",
            "s3://whole.evil/x",
            "S3://whole/x",
            "s3:///x",
            "",
        ),
        *(
            "s3://",
            "s3://ALLOWED/in/x",
            "s3://allowed/IN/x",
            "s3://allowed/in/a\nb",
            "file:///etc/passwd",
            "/x",
        ),
    ],
)
def test_what_is_beside_a_folder_or_odd_is_not_allowed(address: str) -> None:
    assert not is_allowed(address, ALLOW)


def test_without_a_list_nothing_is_allowed() -> None:
    assert not is_allowed("s3://whole/x.csv", "")
