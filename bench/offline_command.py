"""`python -m bench offline`: what runs beside the stream."""

import argparse

from bench import offline, results


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "offline", help="data sets by replay, the backtest, a worker's recovery"
    )
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:  # noqa: ARG001 - a command takes its options
    found = results.load()
    offline.run(found)
    results.save(found)
    return 0
