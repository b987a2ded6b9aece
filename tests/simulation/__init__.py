"""A deterministic simulation of a whole Paygrade: the real code, an order and faults that a seed decides."""
