"""`python -m bench table`: what was measured, into docs/performance.md."""

import argparse

from bench import page, picture, results


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "table",
        help="write what was measured into docs/performance.md",
        description="Write var/bench/results.json as tables into docs/performance.md.",
    )
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:  # noqa: ARG001 - a command takes its options
    found = results.load()
    page.write(found)
    picture.draw(found)
    return 0
