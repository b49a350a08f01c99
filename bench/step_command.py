"""`python -m bench step`: what the pure step costs an event, by part, batch size and regions."""

import argparse
import json

from bench import champion, load, results, step
from bench.arguments import count
from bench.ground import ground
from bench.hand_loop import served
from bench.say import say

_BATCH_UNDER_LOAD = 256


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "step",
        help="what the pure step costs an event, and which part of it",
        description="The pure step over the bench's load, without a broker: what an "
        "event takes by batch size and part, by regions, and along the stream.",
    )
    command.add_argument(
        "--events", type=count, default=4_000, metavar="N", help="measured; default %(default)s"
    )
    command.add_argument(
        "--warm", type=count, default=12_000, metavar="N", help="before them; default %(default)s"
    )
    command.add_argument(
        "--sizes",
        type=count,
        nargs="+",
        default=[1, 16, 64, 256, 1000],
        metavar="N",
        help="of batches",
    )
    command.add_argument(
        "--regions", type=count, nargs="+", default=[70, 300, 1_000, 3_000, 10_000], metavar="N"
    )
    command.add_argument("--rounds", type=count, default=3, metavar="N", help="default %(default)s")
    command.add_argument("--json", action="store_true", help="one line of JSON")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Measure, and tell on standard output."""
    models = served(_models())
    events = load.real_events()
    taken = step.records(list(load.told(events, 1)))
    state = step.warmed(taken[: given.warm], models)
    measured = taken[given.warm : given.warm + given.events]
    sizes: dict[int, step.Cost] = {}
    for size in given.sizes:
        say(f"batches of {size}")
        sizes[size] = step.cost(measured, state, models, size, given.rounds)
    regions: dict[int, float] = {}
    for number in given.regions:
        say(f"{number} regions")
        spread = step.records(list(load.told(events, 1, load.spread(number))))
        filled = step.warmed(spread[: given.warm], models)
        follow = spread[given.warm : given.warm + given.events]
        regions[number] = step.cost(follow, filled, models, _BATCH_UNDER_LOAD, given.rounds).us
    say("along the stream")
    along = step.along(step.records(list(load.told(events, 2))), models, _BATCH_UNDER_LOAD, 8)
    kept = results.load()
    kept.regions_us = {str(number): us for number, us in regions.items()}
    kept.along_us = along
    results.save(kept)
    found = {
        "by_batch": {size: {"us": cost.us, **cost.parts} for size, cost in sizes.items()},
        "by_regions_us": regions,
        "along_us": along,
    }
    print(json.dumps(found) if given.json else _table(sizes, regions, along))
    return 0


def _models() -> champion.Models:
    """Those that lie there; else made now, for which a broker is needed once."""
    try:
        return champion.kept()
    except FileNotFoundError:
        with ground() as on:
            return champion.models(on)


def _table(sizes: dict[int, step.Cost], regions: dict[int, float], along: list[float]) -> str:
    parts = [*step.PARTS, "rest"]
    lines = [
        "| batch | us/event | " + " | ".join(parts) + " |",
        "|---|---|" + "---|" * len(parts),
    ]
    for size, cost in sizes.items():
        split = " | ".join(f"{cost.parts[part]:.1f}" for part in parts)
        lines.append(f"| {size} | {cost.us:.0f} | {split} |")
    told = ", ".join(f"{number:,}: {us:.0f}" for number, us in regions.items())
    lines.append(f"\nus/event by regions, batches of {_BATCH_UNDER_LOAD}: {told}")
    lines.append("along the stream: " + ", ".join(f"{us:.0f}" for us in along))
    return "\n".join(lines)
