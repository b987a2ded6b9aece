"""The media types of tables: those that clients usually send, and what each of them says."""

from jobs.files.tables import MEDIA_TYPES, Format

JSON_TYPES = frozenset({"application/json", "text/json"})
MULTIPART = "multipart/form-data"
TAB_SEPARATED = "text/tab-separated-values"

_CSV = ("text/csv", "application/csv", "application/x-csv", "text/x-csv", "text/comma-separated-values")
_NDJSON = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-lines",
)
_PARQUET = ("application/vnd.apache.parquet", "application/x-parquet", "application/parquet")
FORMATS = {
    **dict.fromkeys((*_CSV, TAB_SEPARATED), Format.CSV),
    **dict.fromkeys(_NDJSON, Format.NDJSON),
    **dict.fromkeys(_PARQUET, Format.PARQUET),
}
"""The format that a media type names."""

UNNAMED = frozenset(
    {
        "",
        "application/octet-stream",
        "binary/octet-stream",
        "application/gzip",
        "application/x-gzip",
        "application/zip",
        "application/x-zip-compressed",
        "application/vnd.ms-excel",  # what browsers on Windows say of CSV
        "application/x-www-form-urlencoded",  # what curl says of any file
        "text/plain",
    }
)
"""Media types that do not tell the format of a table; the file's name or its first bytes do."""

ACCEPTED = ", ".join(["application/json", *MEDIA_TYPES.values(), MULTIPART])
