"""The formats of batch files, and which one a file name stands for."""

MEDIA_TYPES = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_BY_ENDING = {"csv": "csv", "ndjson": "ndjson", "jsonl": "ndjson", "parquet": "parquet"}


def format_of(name: str) -> str:
    """By the ending, which .gz may follow; csv if the ending is unknown."""
    return _BY_ENDING.get(name.lower().removesuffix(".gz").rpartition(".")[2], "csv")


def is_gzip(name: str) -> bool:
    return name.lower().endswith(".gz")
