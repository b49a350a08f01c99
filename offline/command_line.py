"""How a command is added to this program: told in the list of commands, and on its own page."""

import argparse
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
