"""Paygrade on Amazon ECS: templates, and the command line that plans, applies, watches and removes them."""
