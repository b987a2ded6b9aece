"""Numbers on a command line."""

import argparse


def positive_int(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def positive_seconds(text: str) -> float:
    try:
        read = float(text)
    except ValueError:
        read = 0
    if not 0 < read < 1e6:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, not {text!r}")
    return read
