"""Prove on a real broker that nothing is lost, doubled or changed, whatever dies.

Starts a local Kafka (with KAFKA_BOOTSTRAP_SERVERS set it uses that one, under a prefix of its
own, and leaves out the faults of a broker), runs real workers of both stages under a seeded
load, and hurts them by a seeded schedule: SIGKILL, SIGTERM, SIGSTOP for less and for more than
a session, joins and leaves, model swaps and restarts within one, kills and delays between the
steps of the runner, broker restarts, kills and pauses. Then it recomputes every prediction,
outcome, reject, activation, version and state record from the log by the pure steps, and
compares.

One JSON line on stdout, progress on stderr. Exit status 0: all of lost, visible_twice,
non_identical, out_of_order and wrong_state are 0, every fault took effect, and everything
recovered. With --control a bug is planted in the scorers and the status is 0 only if the run
went red. 1: otherwise. 2: wrong arguments. 130: Ctrl-C.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from offline.command_line import whole
from tests.chaos.controls import CONTROLS
from tests.chaos.run import Options, Run

_KEEP = Path("var") / "chaos"
_CONTROL_FAULTS, _CONTROL_EVENTS = 1, 1_500


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _KEEP.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{parsed.seed}-", dir=_KEEP)).absolute()
    few = parsed.control is not None
    run = Run(
        Options(
            seed=parsed.seed,
            faults=parsed.faults or (_CONTROL_FAULTS if few else 20),
            workers=parsed.workers,
            events=parsed.events or (_CONTROL_EVENTS if few else 50_000),
            control=parsed.control,
            folder=folder,
        )
    )
    try:
        report = run.go()
    except KeyboardInterrupt:
        sys.stderr.write(f"stopped; what there was is in {folder}\n")
        return 130
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    if report.ok:
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    sys.stderr.write(f"logs, models and the broker's data are in {folder}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=whole(0), required=True, help="of load and schedule")
    parser.add_argument("--faults", type=whole(1), metavar="N", help="default 20; of a control 1")
    parser.add_argument(
        "--events",
        type=whole(1),
        metavar="N",
        help="at least so many; default 50000; of a control 1500",
    )
    parser.add_argument(
        "--workers",
        type=whole(2),
        default=2,
        metavar="N",
        help="scorers, 2 or more, that one can take over (default 2)",
    )
    listed = "\n".join(f"{name}: {control.what}" for name, control in CONTROLS.items())
    parser.add_argument("--control", choices=sorted(CONTROLS), help=f"plant a bug: {listed}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
