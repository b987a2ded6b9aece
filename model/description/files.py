"""The files of a bundle."""

DESCRIPTION_FILE = "bundle.json"
MODEL_FILE = "model.ubj"
REPORT_FILE = "report.html"
"""Beside the others; the sha256 of the bundle does not cover it."""
LARGEST_REPORT = 8 << 20
"""A larger report is not served."""
