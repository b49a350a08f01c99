"""`python -m demo.story`: a market changes, and the system notices, decides and acts by itself.

On this machine, without Docker: real Kafka, real programs, real home sales with trouble planted
into them. Two variants: prices jump (noticed, retrained, promoted), and one publisher sends
areas in square feet (noticed, named, nothing is retrained).
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from demo import brokers, ending, folders, screen, settings
from demo.folders import Folders, InUse
from demo.observer import ReadingFailed
from demo.programs import ProgramFailed, Programs
from demo.screen import Screen
from demo.stopping import Stop, Stopped
from demo.story import summary, telling
from demo.story.chapter import Chapter
from demo.story.scenes import QUICK, WHOLE, Scene, Variant
from demo.story.summary import Summary
from stream_app.contract.settings import CONFIG_FILE, KafkaSettings

FAILED = 1
WRONG_INPUT = 2
BOTH = "both"
MARKETS = sorted({market for market, _ in WHOLE})


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the story; the result is the exit status."""
    given = _parser().parse_args(arguments)
    stop = Stop()
    stop.listen()
    console = Console(soft_wrap=True)
    try:
        with folders.fresh(given.out) as out:
            return _run(given, out, console, stop)
    except InUse as error:
        print(f"story: {error}", file=sys.stderr)
        return WRONG_INPUT
    except ReadingFailed as error:
        print(f"story: {error}. All programs were stopped; logs: {given.out}", file=sys.stderr)
        return FAILED
    except Stopped as stopped:
        print(
            "story: stopped, with all that it had started: nothing of it runs any more",
            file=sys.stderr,
        )
        return stopped.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo.story",
        description=__doc__,
        epilog="exit status: 0 the story held; 1 it did not (the last lines say why), or a program"
        " failed; 2 wrong input; 130 after Ctrl-C, 143 after SIGTERM.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--market", choices=MARKETS, default=MARKETS[0], help="default: %(default)s")
    add(
        "--variant",
        choices=[BOTH, *map(str, Variant)],
        default=BOTH,
        help="only this one; none: nothing is planted, and nothing may be alarmed; default: both",
    )
    add(
        "--quick",
        action="store_true",
        help="three weeks instead of nine months, in two minutes: too short for a retraining to help",
    )
    add("--seed", type=_seed, default=0, metavar="N", help="of listing dates and publishers")
    add("--out", type=Path, default=Path("var/story"), metavar="FOLDER", help="default: var/story")
    add("--json", action="store_true", help="summary.json as the last line, too")
    return parser


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number, 0 or more, is wanted")
    return int(text)


def _run(given: argparse.Namespace, out: Folders, console: Console, stop: Stop) -> int:
    started_s = time.monotonic()
    shown = screen.screen_for(console)
    programs = Programs(out.logs, settings.plain_environment(), stop.check)
    told: list[Summary] = []
    try:
        kafka = brokers.bring_up(out, programs, shown)
        for scene in _scenes(given):
            console.print(f"\n[bold]{scene.market}: {scene.variant}[/]")
            told.append(_play(scene, kafka, out, programs, shown, given.seed))
    except ProgramFailed as failed:
        shown.settle()
        for line in ending.failure_lines(failed, "story"):
            print(line, file=sys.stderr)
        return FAILED
    finally:
        shown.settle()
        programs.stop_all()
    return _end(told, _scenes(given), out, console, time.monotonic() - started_s, given.json)


def _scenes(given: argparse.Namespace) -> list[Scene]:
    both = (Variant.PRICE_SHOCK, Variant.UNIT_ERROR)
    wanted = both if given.variant == BOTH else (Variant(given.variant),)
    scenes = QUICK if given.quick else WHOLE
    return [scenes[given.market, variant] for variant in wanted]


def _play(
    scene: Scene, kafka: KafkaSettings, out: Folders, broker: Programs, shown: Screen, seed: int
) -> Summary:
    """Run one variant on topics and in a folder of its own; whatever happens, its programs end."""
    own = msgspec.structs.replace(kafka, prefix=f"{kafka.prefix}-{scene.variant}")
    with folders.fresh(out.out / scene.variant) as inner:
        environment = settings.plain_environment() | {CONFIG_FILE: str(inner.settings)}
        programs = Programs(inner.logs, environment, broker.check)
        try:
            return Chapter(scene, own, inner, programs, shown, seed).play()
        finally:
            shown.settle()
            programs.stop_all()


def _end(
    told: Sequence[Summary],
    scenes: Sequence[Scene],
    out: Folders,
    console: Console,
    run_s: float,
    as_json: bool,
) -> int:
    first, *others = told
    whole = msgspec.to_builtins(first) | {
        str(other.variant).replace("-", "_"): msgspec.to_builtins(other) for other in others
    }
    whole["run_s"] = round(run_s, 1)
    out.summary.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")
    faults = [
        f"{scene.variant}: {fault}"
        for each, scene in zip(told, scenes, strict=True)
        for fault in summary.faults(each, scene)
    ]
    console.print()
    lines = [line for each in told for line in [*telling.ending(each), ""]]
    for line in [*lines, *(faults or ["The story held."])]:
        console.print(line, highlight=False, markup=False)
    console.print(f"summary   {out.summary}", highlight=False, markup=False)
    if as_json:
        print(msgspec.json.encode(whole).decode())
    return FAILED if faults else 0


if __name__ == "__main__":
    sys.exit(main())
