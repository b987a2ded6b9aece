"""Measures Paygrade against two ways of serving the same model in process."""
