"""Numbers on a command line."""

import argparse


def at_least_one(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError("must be a whole number, at least 1")
    return int(text)


def seconds(text: str) -> float:
    try:
        read = float(text)
    except ValueError:
        read = 0
    if not 0 < read < 1e6:
        raise argparse.ArgumentTypeError("must be a number of seconds, above 0")
    return read
