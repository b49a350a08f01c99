"""Rounds: in each, every contestant in turn reads the same events from the same broker.

Whoever fails is told of in words, and the others go on.
"""

import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from bench import champion, figures, load, machine, measure, quix
from bench.champion import Models
from bench.contestants import CONTESTANTS, Contestant, start
from bench.ground import Ground, ground, make_topics
from bench.load import Message
from bench.measure import Failed
from bench.results import Results, Run
from bench.say import say
from stream_app.contract.topics import EVENTS, MODELS, full_name


class Plan(Struct, frozen=True):
    """How long, and of what."""

    rounds: int = 3
    window_s: float = 8.0  # each contestant is watched for, after its warm-up
    tellings: int = 6  # of the market's history: 260,000 events, for the fastest
    skew: float = 0.0  # share of homes that lie in one region
    names: tuple[str, ...] = tuple(each.name for each in CONTESTANTS)

    def chosen(self) -> Sequence[Contestant]:
        return [each for each in CONTESTANTS if each.name in self.names]


def run(plan: Plan, results: Results) -> None:
    """Run all rounds and put what they came to into the results.

    A load of another kind than that of the table has its own place there, and spoils no other.
    """
    if plan.skew:
        other = Results()
        _run(plan, other)
        results.failures |= other.failures
        results.variants[f"{plan.skew:.0%} of the homes in one region"] = other.rates
    else:
        _run(plan, results)


def _run(plan: Plan, results: Results) -> None:
    results.rounds, results.failures = [], {}
    pythons = _pythons(plan, results)
    with ground() as on:
        models = champion.models(on)
        messages = list(load.told(load.real_events(), plan.tellings, load.crowded(plan.skew)))
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}")
            turns = [each for each in plan.chosen() if each.in_quix_environment in pythons]
            # Nobody always comes first, or after the same other one.
            turns = turns[number % len(turns) :] + turns[: number % len(turns)]
            results.rounds.append(
                dict(_round(on, models, messages, turns, plan, pythons, results.failures))
            )
    _sum_up(plan, results)


def _pythons(plan: Plan, results: Results) -> dict[bool, Path]:
    """The interpreters: whether it is that of Quix -> where it is."""
    wanted = [each.name for each in plan.chosen() if each.in_quix_environment]
    try:
        quixs = {True: quix.python()} if wanted else {}
    except quix.NoQuix as error:
        say(str(error))
        results.failures |= dict.fromkeys(wanted, str(error))
        quixs = {}
    return {False: Path(sys.executable), **quixs}


def _round(
    on: Ground,
    models: Models,
    messages: Sequence[Message],
    turns: Sequence[Contestant],
    plan: Plan,
    pythons: Mapping[bool, Path],
    failures: dict[str, str],
) -> Iterator[tuple[str, Run]]:
    """Publish the events anew, and let each read them from the start."""
    prefix = f"bench-{secrets.token_hex(3)}"
    make_topics(on, prefix, [topic for each in turns for topic in each.topics(prefix)])
    load.publish(on.brokers, full_name(prefix, MODELS), models.messages)
    load.publish(on.brokers, full_name(prefix, EVENTS), messages)
    for who in turns:
        program = start(who, on, models, prefix, pythons[who.in_quix_environment])
        progress = measure.progress(who, on.brokers, prefix, messages)
        try:
            run = measure.watch(program, on.broker, progress, len(messages), plan.window_s)
            say(f"  {who.name:>27} {figures.rate(run):9,.0f} events/s, {_told(run)}")
            yield who.name, run
        except Failed as error:
            say(f"  {who.name:>27} failed: {error}")
            failures[who.name] = str(error)
        finally:
            on.programs.stop(program)


def _told(run: Run) -> str:
    cpu = f"{figures.cpu_us_per_event(run):,.0f} us of processor time each"
    return f"{cpu}, {run.memory_mb:.0f} MB; {run.events:,} events in {run.took_s:.1f} s"


def _sum_up(plan: Plan, results: Results) -> None:
    results.made = datetime.now(UTC).isoformat(timespec="minutes")
    results.machine = machine.machine()
    results.versions = machine.versions(quix.locked_version())
    results.options = {
        "rounds": plan.rounds,
        "window_s": plan.window_s,
        "tellings": plan.tellings,
        "skew": plan.skew,
        "load_1m": round(_load_of_the_machine(), 1),
    }
    results.rates = figures.medians(results.rounds, figures.rate)
    results.cpu_us_per_event = figures.medians(results.rounds, figures.cpu_us_per_event)
    results.memory_mb = figures.medians(results.rounds, lambda run: run.memory_mb)
    results.ratios = figures.ratios(results.rounds, tuple(figures.RATIOS))


def _load_of_the_machine() -> float:
    return float(Path("/proc/loadavg").read_text("ascii").split()[0])
