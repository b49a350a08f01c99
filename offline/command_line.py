"""How a command is added to this program, told in the list and on its own page; and its numbers."""

import argparse
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add(commands: "Commands", name: str, told: str) -> argparse.ArgumentParser:
    """Add a command, told in half a sentence.

    >>> commands = argparse.ArgumentParser().add_subparsers()
    >>> add(commands, "train", "train a champion").description
    'Train a champion.'
    """
    sentence = f"{told[0].upper()}{told[1:]}{'' if told.endswith('?') else '.'}"
    return commands.add_parser(name, help=told, description=sentence)


def whole(low: int, high: float = math.inf) -> Callable[[str], int]:
    """Type of an option: a whole number from `low` to `high`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            limits = f"from {low}" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text!r}: a whole number {limits} is wanted")
        return int(text)

    return read
