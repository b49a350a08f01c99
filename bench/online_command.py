"""`python -m bench online`: ours and its peers in turn, on a real broker."""

import argparse
import json

import msgspec

from bench import online, results
from bench.arguments import count
from bench.contestants import CONTESTANTS
from bench.online import Plan
from bench.say import say

FAILED = 1


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "online",
        help="ours and its peers in turn, on a real broker",
        description="Let each contestant read the same events from the same broker, in rounds. "
        "Starts a broker of its own on this machine, or uses that of KAFKA_BOOTSTRAP_SERVERS. "
        "Contestants get one core, the broker the others (Linux).",
        epilog="exit status: 0 all ran; 1 some failed, see `failures`; 2 wrong arguments; 130 Ctrl-C",
    )
    plan = Plan()
    option = command.add_argument
    option("--rounds", type=count, default=plan.rounds, metavar="N", help="default %(default)s")
    option(
        "--window",
        type=float,
        default=plan.window_s,
        metavar="SECONDS",
        help="how long each is watched, after 2 s of warm-up (default %(default)g)",
    )
    option(
        "--only",
        action="append",
        choices=[each.name for each in CONTESTANTS],
        help="may be given again; default: all",
    )
    option(
        "--skew",
        type=_share,
        default=plan.skew,
        metavar="SHARE",
        help="share of homes that lie in one region, 0 to 1 (default: as in the data, at most 3 %%)",
    )
    option("--json", action="store_true", help="the figures as one line of JSON")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    found = results.load()
    plan = Plan(rounds=given.rounds, window_s=given.window, skew=given.skew)
    if given.only:
        plan = msgspec.structs.replace(plan, names=tuple(given.only))
    online.run(plan, found)
    results.save(found)
    for pair, ratio in found.ratios.items():
        say(f"{pair}: {ratio:.2f}")
    if given.json:
        print(
            json.dumps({"rates": found.rates, "ratios": found.ratios, "failures": found.failures})
        )
    return FAILED if found.failures else 0


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text}: a share from 0 to 1 is wanted")
    return share
