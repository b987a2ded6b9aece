"""The formats of batch files, and which one a file name stands for."""

UNKNOWN = "application/octet-stream"
"""The media type of a file whose name says nothing: the service then looks at its first bytes."""

MEDIA_TYPES = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_BY_ENDING = {"csv": "csv", "tsv": "csv", "ndjson": "ndjson", "jsonl": "ndjson", "parquet": "parquet"}


def media_type_of(name: str) -> str:
    """The media type of a file by its ending, which .gz or .zip may follow."""
    ending = name.lower().removesuffix(".gz").removesuffix(".zip").rpartition(".")[2]
    return MEDIA_TYPES[_BY_ENDING[ending]] if ending in _BY_ENDING else UNKNOWN


def is_gzip(name: str) -> bool:
    return name.lower().endswith(".gz")
