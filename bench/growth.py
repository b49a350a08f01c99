"""One, two and three workers on this machine share the partitions of one log.

All cores are everybody's: workers, broker and observer. So this is what a small machine gives,
and no promise for a large one; that is what the model is for (capacity.py).
"""

import secrets

from bench import champion, contestants, figures, load, measure
from bench.champion import Models
from bench.contestants import OURS
from bench.ground import Ground, ground, make_topics
from bench.load import Message
from bench.machine import cores
from bench.measure import Failed
from bench.results import Results
from bench.say import say
from stream_app.contract.topics import EVENTS, MODELS, full_name

WORKERS = (1, 2, 3)
_JOINED_WITHIN_S = 60.0
_TELLINGS = 3


def run(results: Results, window_s: float) -> None:
    """Measure each number of workers once, on a log of its own."""
    with ground(worker_cores=len(cores())) as on:
        models = champion.models(on)
        messages = list(load.told(load.real_events(), _TELLINGS))
        for workers in WORKERS:
            try:
                rate = _together(on, models, messages, workers, window_s)
            except Failed as error:
                results.failures[f"growth_{workers}"] = str(error)
                say(f"  {workers} workers failed: {error}")
                continue
            results.growth[str(workers)] = rate
            say(f"  {workers} workers: {rate:,.0f} events/s in all")


def _together(
    on: Ground, models: Models, messages: list[Message], workers: int, window_s: float
) -> float:
    """Start so many at once; events a second of the group, from when all have partitions."""
    prefix = f"bench-{secrets.token_hex(3)}"
    make_topics(on, prefix)
    load.publish(on.brokers, full_name(prefix, MODELS), models.messages)
    started = [
        contestants.start(OURS, on, models, prefix, number=number) for number in range(workers)
    ]
    on.programs.await_(
        lambda: sum(map(contestants.has_opened, started)) == workers,
        _JOINED_WITHIN_S,
        started[0],
        "share the partitions",
    )
    load.publish(on.brokers, full_name(prefix, EVENTS), messages)
    committed = measure.committed_by(on.brokers, OURS.group(prefix), full_name(prefix, EVENTS))
    try:
        return figures.rate(measure.watch(started[0], None, committed, len(messages), window_s))
    finally:
        for program in started:
            on.programs.stop(program)
