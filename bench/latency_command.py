"""`python -m bench latency`: from log-append to visible, at loads of one's choice."""

import argparse
import json

import msgspec

from bench import latency, results
from bench.arguments import count
from bench.latency import Plan
from bench.say import say


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "latency",
        help="from log-append to visible for a read_committed reader, at a steady rate",
        description="Publish King County's events by the clock and time each prediction. Broker, "
        "worker, publisher and reader share all cores. Starts a broker of its own on this machine, "
        "or uses that of KAFKA_BOOTSTRAP_SERVERS.",
        epilog="exit status: 0 measured; 1 a program failed; 2 wrong arguments; 130 Ctrl-C",
    )
    plan, option = Plan(), command.add_argument
    option("--rate", type=count, default=plan.rate, metavar="N", help="default %(default)s")
    option("--seconds", type=count, default=plan.seconds, metavar="N", help="default %(default)s")
    option("--bursts", action="store_true", help="those of 2 s come within 0.2 s, at the same rate")
    option("--without-champion", action="store_true", help="no model serves")
    option("--json", action="store_true", help="what was found, as one line of JSON")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    plan = Plan(
        given.rate,
        given.seconds,
        with_champion=not given.without_champion,
        in_bursts=given.bursts,
    )
    found = results.load()
    latency.run(found, [plan])
    results.save(found)
    waits, stages = msgspec.structs.asdict(found.latency_ms[plan.name]), found.stages[plan.name]
    for name, figure in (waits | stages).items():
        say(f"{name:>24} {figure if isinstance(figure, str) else format(figure, '9,.1f')}")
    if given.json:
        print(json.dumps({"latency_ms": waits, "stages": stages}))
    return 0
