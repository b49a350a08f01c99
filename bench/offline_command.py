"""`python -m bench offline`: what runs beside the stream."""

import argparse

from bench import offline, results


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "offline", help="data sets by replay, backtest, recovery, reports"
    )
    command.add_argument(
        "--only", action="append", choices=list(offline.PARTS), help="may be given again"
    )
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    offline.run(results.load(), given.only or offline.PARTS, results.save)
    return 0
