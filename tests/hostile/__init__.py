"""Hostile files: small ones that would cost much, and damaged ones. A seed always gives the same."""
