"""`python -m bench offline`: what runs beside the stream."""

import argparse

from bench import offline, results

FAILED = 1


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "offline",
        help="data sets by replay, backtest, recovery, memory, reports",
        description="What runs beside the stream: how fast, and with how much memory.",
        epilog="exit status: 0 measured; 1 some failed, in words; 2 wrong arguments; 130 Ctrl-C",
    )
    command.add_argument(
        "--only",
        action="append",
        choices=list(offline.PARTS),
        help="may be given again; default: all",
    )
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    found, names = results.load(), given.only or tuple(offline.PARTS)
    offline.run(found, names, results.save)
    results.save(found)
    return FAILED if found.failures.keys() & set(names) else 0
