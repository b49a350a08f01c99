"""What commands accept as values of their options."""

import argparse


def count(text: str) -> int:
    """A whole number, 1 or more."""
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 1 is wanted")
    return int(text)
