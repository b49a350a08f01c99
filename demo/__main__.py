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
from rich.console import Console

from demo import brokers, config, ending, folders, screen, settings
from demo.folders import Folders, InUse
from demo.observer import ReadingFailed
from demo.plan import QUICK, WHOLE, Plan
from demo.programs import ProgramFailed, Programs
from demo.stopping import Stop, Stopped
from demo.summary import exit_status
from demo.tour import Told, Tour
from stream_app.contract.settings import KafkaSettings

FAILED = 1
WRONG_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the result is the exit status."""
    given = _parser().parse_args(arguments)
    stop = Stop()
    stop.listen()
    console = Console(soft_wrap=True)
    try:
        with folders.fresh(given.out) as out:
            return _run((QUICK if given.quick else WHOLE)[given.market], out, console, stop)
    except InUse as error:
        print(f"demo: {error}", file=sys.stderr)
        return WRONG_INPUT
    except ReadingFailed as error:
        print(
            f"demo: {error}. All programs were stopped; logs: {given.out / 'logs'}", file=sys.stderr
        )
        return FAILED
    except Stopped as stopped:
        print(
            "demo: stopped, with all that it had started: nothing of it runs any more",
            file=sys.stderr,
        )
        return stopped.status


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


def _run(plan: Plan, out: Folders, console: Console, stop: Stop) -> int:
    started_s = time.monotonic()
    shown = screen.screen_for(console)
    programs = Programs(out.logs, settings.plain_environment(), stop.check)
    try:
        kafka = brokers.bring_up(out, programs, shown)
        told = Tour(plan, kafka, out, programs, shown).give(started_s)
    except ProgramFailed as failed:
        shown.settle()
        programs.stop_all()
        for line in ending.failure_lines(failed):
            print(line, file=sys.stderr)
        return FAILED
    finally:
        shown.settle()
        programs.stop_all()
    _tell_end(told, kafka, out, console)
    return exit_status(told.summary)


def _tell_end(told: Told, kafka: KafkaSettings, out: Folders, console: Console) -> None:
    out.summary.write_bytes(msgspec.json.format(msgspec.json.encode(told.summary)) + b"\n")
    console.print()
    console.print(screen.summary_table(told.summary))
    own_broker = settings.named_brokers() is None
    if own_broker:
        out.settings.write_text(config.afterwards(out), encoding="utf-8")
    lines = [
        *ending.flow_lines(told.summary),
        *ending.verdict(told.summary, map(str, told.losses)),
        "",
        *ending.place_lines(out),
        "",
        *ending.go_on_lines(kafka, out, own_broker),
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
