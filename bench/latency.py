"""From log-append to visible: events at a steady rate, the real worker, a `read_committed` reader.

The time begins with the broker's own append time of an event and ends when `consume` hands its
prediction to the reader; both clocks are that of this machine. Only listings cause predictions:
sales load the worker and are not timed. Who publishes goes by the clock, whether or not the worker
keeps up, so a worker that does not is told by latencies that grow, not by a lower load.

Broker, worker, publisher and reader share all cores, as on a small machine.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from bench import champion, pages
from bench.champion import Models
from bench.flow import Flow, flowing
from bench.ground import Ground, ground
from bench.machine import cores
from bench.pacing import Place
from bench.reader import Visible
from bench.results import Latency, Results
from bench.say import say
from bench.usage import usage

CATCH_UP_S = 45.0  # is granted to a worker that did not keep up


class Plan(Struct, frozen=True):
    """One load."""

    rate: int = 1_000  # events a second
    seconds: int = 20
    warm_up_s: int = 5  # at the same rate, not timed: a broker that was just started is slow
    with_champion: bool = True
    in_bursts: bool = False

    @property
    def name(self) -> str:
        bursts = " in bursts" if self.in_bursts else ""
        return f"{self.rate}{bursts}{'' if self.with_champion else ' without a champion'}"


# The last load is more than two cores can take; short, for what waits in the end must be worked off.
PLANS = (Plan(), Plan(seconds=10, in_bursts=True), Plan(rate=5_000, seconds=4, warm_up_s=1))


class Work(NamedTuple):
    """What was done so far."""

    worker_cpu_s: float
    broker_cpu_s: float
    counted: Mapping[str, float]  # the worker's own page of metrics


def run(results: Results, plans: Sequence[Plan]) -> None:
    """Measure each load on one broker; one that is too much for the worker is told of in words."""
    with ground(worker_cores=len(cores())) as on:
        models = champion.models(on)
        for plan in plans:
            latency, stages = _measured(on, models, plan)
            results.latency_ms[plan.name], results.stages[plan.name] = latency, stages
            say(f"  {plan.name} events/s: p99 {latency.p99:,.0f} ms {latency.note}")


def _measured(on: Ground, models: Models, plan: Plan) -> tuple[Latency, dict[str, float]]:
    flow_of = flowing(on, models, with_champion=plan.with_champion, in_bursts=plan.in_bursts)
    with flow_of as flow:
        flow.send(plan.warm_up_s, plan.rate)
        before = _work(flow)
        flow.pacer.appended_ms.clear()
        flow.send(plan.seconds, plan.rate)
        after, waiting = _work(flow), flow.waiting()
        flow.catch_up(CATCH_UP_S)
    appended_ms, seen = flow.pacer.appended_ms, flow.seen
    open_ms = unseen(appended_ms, seen, time.time() * 1_000)
    latency = summed_up(waits(appended_ms, seen) + open_ms, note(plan.rate, waiting, len(open_ms)))
    return latency, stages(appended_ms, seen, before, after)


def note(rate: int, waiting: int, unseen: int) -> str:
    """What is to be known of a load at whose end so many events wait; nothing if it is kept up with.

    >>> note(1_000, waiting=150, unseen=0)
    ''
    >>> note(5_000, waiting=21_000, unseen=0)
    'does not keep up: 21,000 events wait when the last one is sent'
    """
    if waiting < rate:  # less than a second's
        return ""
    told = f"does not keep up: {waiting:,} events wait when the last one is sent"
    later = (
        f"; {unseen:,} predictions are not seen {CATCH_UP_S:g} s later and wait at least until then"
    )
    return told + later if unseen else told


def _work(flow: Flow) -> Work:
    broker = flow.on.broker
    of_broker_s = usage(broker.process.pid).cpu_s if broker else 0.0
    return Work(usage(flow.worker.process.pid).cpu_s, of_broker_s, pages.counted(flow.worker))


def waits(appended_ms: Mapping[Place, int], seen: Iterable[Visible]) -> list[float]:
    """From append to visible, of each prediction whose cause was timed."""
    return [one.received_ms - appended_ms[one.cause] for one in seen if one.cause in appended_ms]


def unseen(
    appended_ms: Mapping[Place, int], seen: Iterable[Visible], until_ms: float
) -> list[float]:
    """How long those that were not seen have waited so far: else only the quick ones would count."""
    left = appended_ms.keys() - {one.cause for one in seen}
    return [until_ms - appended_ms[place] for place in left]


def summed_up(waits_ms: Sequence[float], note: str = "") -> Latency:
    p50, p90, p99 = (float(each) for each in np.percentile(waits_ms, [50, 90, 99]))
    return Latency(p50=p50, p99=p99, p90=p90, max=max(waits_ms), note=note)


def stages(
    appended_ms: Mapping[Place, int],
    seen: Sequence[Visible],
    before: Work,
    after: Work,
) -> dict[str, float]:
    """Where the time went, means; and what an event cost. Nothing when none was seen.

    A prediction is written when the step of its batch ends, and seen after the commit.
    """
    timed = [one for one in seen if one.cause in appended_ms]
    if not timed:
        return {}
    grown = _grown(before.counted, after.counted)
    batches, events = grown("batch_records_count"), grown("batch_records_sum")
    step_ms = 1_000 * grown("step_seconds_sum") / batches
    written_ms = statistics.fmean(one.written_ms for one in timed)
    return {
        "until_step_ms": written_ms - step_ms,
        "step_ms": step_ms,
        "commit_ms": 1_000 * grown("commit_seconds_sum") / batches,
        "step_to_seen_ms": statistics.fmean(waits(appended_ms, seen)) - written_ms,
        "events_per_batch": events / batches,
        "worker_cpu_us_per_event": 1e6 * (after.worker_cpu_s - before.worker_cpu_s) / events,
        "broker_cpu_us_per_event": 1e6 * (after.broker_cpu_s - before.broker_cpu_s) / events,
    }


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> Callable[[str], float]:
    return lambda name: after[f"housing_{name}"] - before[f"housing_{name}"]
