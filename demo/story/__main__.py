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

from demo import folders, settings
from demo.programs import Programs
from demo.running import FAILED, Ground, run
from demo.story import summary, telling
from demo.story.chapter import Chapter
from demo.story.scenes import QUICK, WHOLE, Scene, Variant
from demo.story.summary import Summary
from stream_app.contract.settings import CONFIG_FILE

BOTH = "both"
MARKETS = sorted({market for market, _ in WHOLE})


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the story; the result is the exit status."""
    started_s = time.monotonic()
    given = _parser().parse_args(arguments)
    scenes = _scenes(given)

    def play(on: Ground) -> list[Summary]:
        return [_play(scene, on, given.seed) for scene in scenes]

    def end(told: list[Summary], on: Ground) -> int:
        return _end(told, scenes, on, time.monotonic() - started_s, given.json)

    return run("story", given.out, play, end)


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


def _scenes(given: argparse.Namespace) -> list[Scene]:
    both = (Variant.PRICE_SHOCK, Variant.UNIT_ERROR)
    wanted = both if given.variant == BOTH else (Variant(given.variant),)
    scenes = QUICK if given.quick else WHOLE
    return [scenes[given.market, variant] for variant in wanted]


def _play(scene: Scene, on: Ground, seed: int) -> Summary:
    """Run one variant on topics and in a folder of its own; whatever happens, its programs end."""
    on.console.print(f"\n[bold]{scene.market}: {scene.variant}[/]")
    own = msgspec.structs.replace(on.kafka, prefix=f"{on.kafka.prefix}-{scene.variant}")
    with folders.fresh(on.out.out / scene.variant) as inner:
        environment = settings.plain_environment() | {CONFIG_FILE: str(inner.settings)}
        programs = Programs(inner.logs, environment, on.programs.check)
        try:
            return Chapter(scene, own, inner, programs, on.screen, seed).play()
        finally:
            on.screen.settle()
            programs.stop_all()


def _end(
    told: Sequence[Summary], scenes: Sequence[Scene], on: Ground, run_s: float, as_json: bool
) -> int:
    first, *others = told
    whole = msgspec.to_builtins(first) | {
        str(other.variant).replace("-", "_"): msgspec.to_builtins(other) for other in others
    }
    whole["run_s"] = round(run_s, 1)
    on.out.summary.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")
    faults = [
        f"{scene.variant}: {fault}"
        for each, scene in zip(told, scenes, strict=True)
        for fault in summary.faults(each, scene)
    ]
    on.console.print()
    lines = [line for each in told for line in [*telling.ending(each), ""]]
    for line in [*lines, *(faults or ["The story held."])]:
        on.console.print(line, highlight=False, markup=False)
    on.console.print(f"summary   {on.out.summary}", highlight=False, markup=False)
    if as_json:
        print(msgspec.json.encode(whole).decode())
    return FAILED if faults else 0


if __name__ == "__main__":
    sys.exit(main())
