"""Type of an option that takes a whole number. The parser names the option, this the limits."""

import argparse
from collections.abc import Callable

PORT_MAX = 65_535


def whole(low: int, high: int) -> Callable[[str], int]:
    """Read a whole number from `low` to `high`, both in."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
            limits = f"from {low} to {high:,}"
            raise argparse.ArgumentTypeError(f"{text!r}: a whole number {limits} is wanted")
        return int(text)

    return read
