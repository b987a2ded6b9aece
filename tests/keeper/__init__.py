"""Simulates hours and days of sleeping and waking workers in seconds, with the keeper's own code.

`python -m tests.keeper --seed 7` shows one day of each kind of arrivals.
"""
