"""`python -m demo`: the whole system on this machine, in about three minutes.

Starts a real Kafka and all programs, replays real home sales through them, and
tells what a reader of the topics saw. Stops all it started, whatever happens.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from demo import config, ending, screen, settings
from demo.plan import QUICK, WHOLE
from demo.running import Ground, run
from demo.summary import exit_status
from demo.tour import Told, Tour


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the result is the exit status."""
    started_s = time.monotonic()
    given = _parser().parse_args(arguments)
    plan = (QUICK if given.quick else WHOLE)[given.market]

    def play(on: Ground) -> Told:
        return Tour(plan, on.kafka, on.out, on.programs, on.screen).give(started_s)

    return run("demo", given.out, play, _tell_end)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description=__doc__,
        epilog="exit status: 0 every event is accounted for once; 1 a program failed, or an event"
        " was lost or seen twice; 2 wrong input; 130 after Ctrl-C, 143 after SIGTERM.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--market", choices=sorted(WHOLE), default="king-county", help="default king-county"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few months of sales only, in about a minute"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("var/demo"), metavar="FOLDER", help="default var/demo"
    )
    return parser


def _tell_end(told: Told, on: Ground) -> int:
    out = on.out
    out.summary.write_bytes(msgspec.json.format(msgspec.json.encode(told.summary)) + b"\n")
    on.console.print()
    on.console.print(screen.summary_table(told.summary))
    own_broker = settings.named_brokers() is None
    if own_broker:
        out.settings.write_text(config.afterwards(out), encoding="utf-8")
    lines = [
        *ending.flow_lines(told.summary),
        *ending.verdict(told.summary, map(str, told.losses)),
        "",
        *ending.place_lines(out),
        "",
        *ending.go_on_lines(on.kafka, out, own_broker),
    ]
    for line in lines:
        on.console.print(line, highlight=False, markup=False)
    return exit_status(told.summary)


if __name__ == "__main__":
    sys.exit(main())
