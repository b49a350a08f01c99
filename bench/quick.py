"""A few seconds of ours beside the loop by hand, to notice a gross loss of speed. No figures for docs.

Both run at the same time on the same log, so that whatever else the machine does touches both.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from msgspec import Struct

from bench import contestants, figures, load, measure
from bench.champion import Models
from bench.contestants import CONTESTANTS, Contestant
from bench.ground import Ground, make_topics
from bench.load import Message
from bench.results import Run
from stream_app.contract.topics import EVENTS, MODELS, full_name

# What tests/integration/test_bench.py told on a quiet machine. It changes when ours gets faster,
# or the loop does, and never to let a loss pass.
BASELINE = Path(__file__).with_name("baseline.json")
# Processor time hardly moves with what else runs. Rates of two that share their cores do; but
# whoever waits where nobody should is slower by more than that.
CPU_LOSS_MAX, RATE_LOSS_MAX = 2.0, 4.0
_PAIR = tuple(each for each in CONTESTANTS if each.name in ("ours", "hand_loop"))


class Ratios(Struct, frozen=True):
    """Ours as a share of the loop by hand: 1 is as good, less is worse."""

    cpu: float  # of processor time for each event, the loop's over ours
    rate: float  # of events a second, ours over the loop's


def baseline() -> Ratios:
    """What is kept."""
    return msgspec.json.decode(BASELINE.read_bytes(), type=Ratios)


def losses(found: Ratios, kept: Ratios) -> list[str]:
    """What is grossly worse than it was, in words; mostly nothing.

    >>> losses(Ratios(cpu=0.2, rate=0.7), kept=Ratios(cpu=0.6, rate=0.7))
    ['processor time for each event: 0.20 of the loop by hand, it was 0.60']
    """
    judged = (
        ("processor time for each event", found.cpu, kept.cpu, CPU_LOSS_MAX),
        ("events a second", found.rate, kept.rate, RATE_LOSS_MAX),
    )
    return [
        f"{what}: {now:.2f} of the loop by hand, it was {before:.2f}"
        for what, now, before, loss_max in judged
        if now * loss_max < before
    ]


def side_by_side(
    on: Ground, models: Models, prefix: str, messages: Sequence[Message], window_s: float
) -> Ratios:
    """Run both at once under a fresh prefix.

    Raises
    ------
    Failed : one of them did not get going
    """
    make_topics(on, prefix, [topic for each in _PAIR for topic in each.topics(prefix)])
    load.publish(on.brokers, full_name(prefix, MODELS), models.messages)
    load.publish(on.brokers, full_name(prefix, EVENTS), messages)
    started = {each: contestants.start(each, on, models, prefix) for each in _PAIR}

    def watched(who: Contestant) -> Run:
        done = measure.progress(who, on.brokers, prefix, messages)
        return measure.watch(started[who], None, done, len(messages), window_s)

    try:
        with ThreadPoolExecutor(len(_PAIR)) as pool:
            ours, by_hand = pool.map(watched, _PAIR)
    finally:
        for program in started.values():
            on.programs.stop(program)
    return Ratios(
        cpu=figures.cpu_us_per_event(by_hand) / figures.cpu_us_per_event(ours),
        rate=figures.rate(ours) / figures.rate(by_hand),
    )
