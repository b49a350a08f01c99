"""Every command says what it does, and a wrong value of an option is named with its limit."""

import argparse
from collections.abc import Iterator

import pytest

import bench.__main__
import demo.__main__
import demo.story.__main__
import monitoring.__main__
import offline.arguments
import producers.arguments
import stream_app.__main__

PARSERS = {
    "bench": bench.__main__._parser,
    "demo": demo.__main__._parser,
    "demo.story": demo.story.__main__._parser,
    "monitoring": monitoring.__main__._parser,
    "offline": offline.arguments.parser,
    "producers": producers.arguments.parser,
    "stream_app": stream_app.__main__._parser,
}


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A program's parser, and those of all its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from commands(command)


@pytest.mark.parametrize("program", PARSERS)
def test_every_command_says_what_it_does(program: str) -> None:
    silent = [each.prog for each in commands(PARSERS[program]()) if not each.description]

    assert silent == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("tail --count x", "'x': a whole number from 1 is wanted"),
        ("tail --count 0", "'0': a whole number from 1 is wanted"),
        ("health --port 99999", "'99999': a whole number from 1 to 65535 is wanted"),
        ("topics create --partitions 1.5", "'1.5': a whole number from 1 is wanted"),
    ],
)
def test_a_wrong_number_is_named_with_its_limit(
    command: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        stream_app.__main__.main(command.split())

    assert ended.value.code == 2
    assert told in capsys.readouterr().err
