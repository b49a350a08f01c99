"""`python -m bench all`: everything, as `make bench` runs it, and the table."""

import argparse
import time

from bench import changes, growth, growth_command, latency, offline, online, page, results
from bench.capacity import Demand
from bench.online import Plan
from bench.say import say

FAILED = 1
# With one round nothing is a median; it shows that all runs, and the order of magnitude.
QUICK = Plan(rounds=1, window_s=3.0, tellings=4)
_GROWTH_WINDOW_S = 6.0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "all",
        help="everything, and the table: what `make bench` runs, some 17 minutes",
        description="Run every part of the bench in turn, and write docs/performance.md's tables.",
        epilog="exit status: 0 all ran; 1 some failed, in words; 2 wrong arguments; 130 Ctrl-C",
    )
    command.add_argument(
        "--quick", action="store_true", help="one short round of the stream alone: 3 minutes"
    )
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    began_s = time.monotonic()
    found = results.load()
    try:
        online.run(QUICK if given.quick else Plan(), found)
        results.save(found)
        if not given.quick:
            latency.run(found, latency.PLANS)
            changes.run(found, changes.PARTS, changes.RATE)
            offline.run(found, tuple(offline.PARTS), results.save)
            growth.run(found, _GROWTH_WINDOW_S)
            growth_command.plan(found, Demand())
    finally:  # what was measured before a program failed is measured
        results.save(found)
    page.write(found)
    say(f"{results.FILE} and {page.FILE} are written, {time.monotonic() - began_s:.0f} s in all")
    return FAILED if found.failures else 0
