"""`python -m bench changes`: a champion's swap and planned rebalances, at a steady rate."""

import argparse
import json

from bench import changes, results
from bench.arguments import count

FAILED = 1


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "changes",
        help="what a new champion, a worker more and one less do to a steady stream",
        description="Publish King County's events by the clock. swap: promote a new version, and "
        "compare the longest wait within 2 s around the swap with the p99 before it. rebalance: "
        "let a second worker join, then end it with SIGTERM, and tell for how long nothing was "
        "seen of a partition. Starts a broker of its own on this machine, or uses that of "
        "KAFKA_BOOTSTRAP_SERVERS.",
        epilog="exit status: 0 measured; 1 one failed, in words; 2 wrong arguments; 130 Ctrl-C",
    )
    option = command.add_argument
    option("--only", action="append", choices=list(changes.PARTS), help="may be given again")
    option(
        "--rate",
        type=count,
        default=changes.RATE,
        metavar="N",
        help="events a second (%(default)s)",
    )
    option("--json", action="store_true", help="what was found, as one line of JSON")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    found, names = results.load(), given.only or tuple(changes.PARTS)
    try:
        changes.run(found, names, given.rate)
    finally:  # what was measured before a program failed is measured
        results.save(found)
    if given.json:
        print(json.dumps({"changes": found.changes, "failures": found.failures}))
    return FAILED if found.failures.keys() & set(names) else 0
