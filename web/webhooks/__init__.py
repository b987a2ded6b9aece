"""Webhooks: which receivers are allowed, and how they are told that a job has ended."""
