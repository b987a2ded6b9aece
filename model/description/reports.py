"""The report of a bundle: a page of HTML beside it, which its sha256 does not cover."""

REPORT_FILE = "report.html"
LARGEST_REPORT = 8 << 20
"""A larger file is not served."""
