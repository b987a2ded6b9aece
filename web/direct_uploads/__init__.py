"""Uploads: files that callers put into the file store themselves, and then have scored."""
