"""Each kind of fault: how it is brought about, how we see that it was, and who must recover.

A fault that did not take effect is an error of the run, never a success: every function here
asserts that what it did was done.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from stream_app.contract.ids import partition_of
from stream_app.contract.settings import KafkaSettings
from stream_app.shell.chaos import Point
from tests.chaos import bundles, crew, processes
from tests.chaos.bundles import Shop
from tests.chaos.crew import Crew, Slot
from tests.chaos.load import MARKETS
from tests.chaos.node import OwnBroker
from tests.chaos.progress import Progress
from tests.chaos.schedule import BROKER_KINDS, LEARNER, SCORER, Fault, Kind
from tests.waiting import until

EFFECT_WITHIN_S = 90.0  # a worker starts in 3 s, a dead one keeps its partitions for 6 s
RECOVER_WITHIN_S = 120.0


class World(NamedTuple):
    """What faults are done to."""

    kafka: KafkaSettings
    partitions: int
    crew: Crew
    progress: Progress
    broker: OwnBroker | None
    shops: Mapping[str, Shop]
    new_slot: Callable[[str], Slot]


class Affected(NamedTuple):
    """Who must commit again for the fault to be over, and what they had committed before."""

    stage: str
    partitions: frozenset[int]
    before: Mapping[int, int]


def inject(fault: Fault, world: World) -> float:
    """Bring a fault about and wait until all that it hit has committed again; give the seconds.

    Raises
    ------
    AssertionError : it did not take effect, or somebody did not recover
    """
    _await_calm(fault, world)
    started_s = time.monotonic()
    for affected in _INJECT[fault.kind](fault, world):
        left_s = RECOVER_WITHIN_S - (time.monotonic() - started_s)
        stage, partitions, before = affected
        assert world.progress.await_beyond(stage, before, partitions, max(left_s, 30.0)), (
            f"no commit of the {stage} on all of {sorted(partitions)} within "
            f"{RECOVER_WITHIN_S:g} s: before {dict(before)}, now {world.progress.applied(stage)}"
        )
    return time.monotonic() - started_s


def active(stage: str, partitions: int) -> frozenset[int]:
    """The partitions of a stage's source that the load reaches."""
    if stage == SCORER:
        return frozenset(range(partitions))
    return frozenset(partition_of(market.encode(), partitions) for market in MARKETS)


def _await_calm(fault: Fault, world: World) -> None:
    """Let the last fault's victims hold partitions again, or there is nobody to hit."""
    stages = (SCORER, LEARNER) if fault.kind in BROKER_KINDS else (fault.stage,)
    for stage in stages:
        until(
            lambda stage=stage: _all_held(stage, world),  # type: ignore[misc]
            EFFECT_WITHIN_S,
            f"the workers of the {stage} hold all partitions",
        )


def _all_held(stage: str, world: World) -> bool:
    """Exactly once: a worker that has lost a partition says so when it is assigned anew."""
    slots = [slot for slot in world.crew.of(stage) if slot.wanted]
    held = sorted(partition for slot in slots for partition in slot.held())
    return held == list(range(world.partitions)) and all(
        slot.is_running() and slot.assigned() for slot in slots
    )


def _victim(fault: Fault, world: World) -> Slot:
    """One of the workers that hold a partition which the load reaches."""
    reached = active(fault.stage, world.partitions)
    holders = [slot for slot in world.crew.of(fault.stage) if slot.held() & reached]
    return holders[fault.draw % len(holders)]


def _affected(world: World, stage: str, partitions: Iterable[int]) -> Affected:
    reached = active(stage, world.partitions) & frozenset(partitions)
    return Affected(stage, reached, world.progress.applied(stage))


def _all_affected(world: World) -> tuple[Affected, ...]:
    everywhere = range(world.partitions)
    return tuple(_affected(world, stage, everywhere) for stage in (SCORER, LEARNER))


def _sigkill(fault: Fault, world: World) -> tuple[Affected, ...]:
    victim = _victim(fault, world)
    held = victim.held()
    status = victim.kill()
    assert status == -signal.SIGKILL, f"killed, but it ended with {status}"
    return (_affected(world, fault.stage, held),)


def _sigterm(fault: Fault, world: World) -> tuple[Affected, ...]:
    victim = _victim(fault, world)
    held = victim.held()
    status = victim.stop()
    victim.start()
    assert status == 0, f"after SIGTERM it ended with {status}"
    return (_affected(world, fault.stage, held),)


def _stop_short(fault: Fault, world: World) -> tuple[Affected, ...]:
    victim = _victim(fault, world)
    held = victim.held()
    pid = victim.freeze()
    affected = _affected(world, fault.stage, held)
    time.sleep(fault.seconds)
    os.kill(pid, signal.SIGCONT)
    return (affected,)


def _stop_long(fault: Fault, world: World) -> tuple[Affected, ...]:
    return _frozen_until_replaced(_victim(fault, world), fault, world)


def _zombie(fault: Fault, world: World) -> tuple[Affected, ...]:
    """Stop it inside of a transaction: it wakes with an open one and must not commit it."""
    victim = _replaced(fault, world, f"{Point.BEFORE_COMMIT}:delay=2@{fault.nth}")
    _await_planted(victim)
    return _frozen_until_replaced(victim, fault, world)


def _frozen_until_replaced(victim: Slot, fault: Fault, world: World) -> tuple[Affected, ...]:
    """Let others take over what a frozen worker held, then wake it."""
    held = victim.held() & active(fault.stage, world.partitions)
    pid = victim.freeze()
    frozen_at = crew.now()
    try:
        affected = _affected(world, fault.stage, held)
        others = [s for s in world.crew.of(fault.stage) if s is not victim]
        until(
            lambda: set().union(*(slot.held(since=frozen_at) for slot in others)) >= held,
            EFFECT_WITHIN_S,
            f"others take over {sorted(held)} of the frozen {fault.stage}",
        )
    finally:
        os.kill(pid, signal.SIGCONT)
    until(
        lambda: pid in victim.ended or victim.assigned(since=frozen_at),
        EFFECT_WITHIN_S,
        "the one that was frozen ends, or is assigned anew",
    )
    return (affected,)


def _join(fault: Fault, world: World) -> tuple[Affected, ...]:
    slot = world.new_slot(fault.stage)
    slot.start()
    until(slot.assigned, EFFECT_WITHIN_S, "the worker that joined is assigned its share")
    return (_affected(world, fault.stage, range(world.partitions)),)


def _leave(fault: Fault, world: World) -> tuple[Affected, ...]:
    slot = world.crew.of(fault.stage)[-1]  # the one that joined last
    held = slot.held()
    status = slot.stop()
    world.crew.slots.remove(slot)
    world.crew.gone.append(slot)
    assert status == 0, f"after SIGTERM it ended with {status}"
    return (_affected(world, fault.stage, held),)


def _step_kill(fault: Fault, world: World) -> tuple[Affected, ...]:
    victim = _replaced(fault, world, f"{fault.point}:kill@{fault.nth}")
    pid = victim.pid
    until(lambda: pid in victim.ended, EFFECT_WITHIN_S, f"it dies at {fault.point}")
    assert victim.ended[pid] == -signal.SIGKILL, f"it ended with {victim.ended[pid]}"
    held = {int(p) for p in victim.logged("opened", pid)[-1]["applied"]}
    return (_affected(world, fault.stage, held),)


def _step_delay(fault: Fault, world: World) -> tuple[Affected, ...]:
    victim = _replaced(fault, world, f"{fault.point}:delay={fault.seconds:g}@{fault.nth}")
    _await_planted(victim)
    return (_affected(world, fault.stage, victim.held()),)


def _replaced(fault: Fault, world: World, chaos: str) -> Slot:
    """Stop a worker in order, and start another in its place with something planted."""
    victim = _victim(fault, world)
    reached = active(fault.stage, world.partitions)
    status = victim.stop()
    assert status == 0, f"after SIGTERM it ended with {status}"
    victim.start(chaos)
    pid = victim.pid
    until(victim.assigned, EFFECT_WITHIN_S, "the worker with something planted is assigned")
    others = [slot for slot in world.crew.of(fault.stage) if slot is not victim]
    if not (victim.held() & reached or pid in victim.ended):
        # All that the load reaches fell to others: without them it falls to this one.
        for slot in others:
            slot.stop()
        until(
            lambda: victim.held() & reached or pid in victim.ended,
            EFFECT_WITHIN_S,
            "the worker with something planted gets a partition",
        )
        for slot in others:
            slot.start()
    return victim


def _await_planted(victim: Slot) -> None:
    pid = victim.pid
    until(
        lambda: victim.logged("planted fault", pid),
        EFFECT_WITHIN_S,
        "what was planted happens",
    )


def _model_swap(fault: Fault, world: World) -> tuple[Affected, ...]:
    market = MARKETS[fault.draw % len(MARKETS)]
    version = bundles.swap(world.kafka, world.shops[market], market)
    _await_swapped(market, version, frozenset(range(world.partitions)), world)
    return (_affected(world, SCORER, range(world.partitions)),)


def _swap_restart(fault: Fault, world: World) -> tuple[Affected, ...]:
    """A frozen worker cannot swap, so it dies for sure when others have and it has not."""
    market = MARKETS[fault.draw % len(MARKETS)]
    victim = _victim(fault, world)
    held = frozenset(victim.held())
    others = frozenset(range(world.partitions)) - held
    assert others, "one worker holds all partitions: there is no middle of a swap"
    victim.freeze()
    try:
        version = bundles.swap(world.kafka, world.shops[market], market)
        until(
            lambda: any(_swapped(market, version, p, world) for p in others),
            EFFECT_WITHIN_S,
            f"{version} serves one of {sorted(others)}",
        )
        done = [p for p in held if _swapped(market, version, p, world)]
    finally:
        victim.kill()
    assert not done, f"frozen, and yet it swapped {done}"
    affected = _affected(world, SCORER, held)
    _await_swapped(market, version, held | others, world)
    return (affected,)


def _swapped(market: str, version: str, partition: int, world: World) -> bool:
    served = world.progress.served(SCORER).get(partition, {})
    return market in served and served[market].champion == version


def _await_swapped(market: str, version: str, partitions: frozenset[int], world: World) -> None:
    until(
        lambda: all(_swapped(market, version, p, world) for p in partitions),
        EFFECT_WITHIN_S,
        f"{version} serves partitions {sorted(partitions)}",
    )


def _broker_restart(fault: Fault, world: World) -> tuple[Affected, ...]:
    broker = _ours(world)
    status = broker.stop()
    assert status == 0, f"after SIGTERM the broker ended with {status}"
    affected = _all_affected(world)
    broker.start()
    return affected


def _broker_kill(fault: Fault, world: World) -> tuple[Affected, ...]:
    broker = _ours(world)
    broker.kill()
    affected = _all_affected(world)
    broker.start()
    return affected


def _broker_pause(fault: Fault, world: World) -> tuple[Affected, ...]:
    java = _ours(world).java()
    os.kill(java, signal.SIGSTOP)
    try:
        until(lambda: processes.is_stopped(java), 5, "the broker stops")
        affected = _all_affected(world)
        time.sleep(2 * fault.seconds)  # shorter and longer than a session
    finally:
        os.kill(java, signal.SIGCONT)
    return affected


def _ours(world: World) -> OwnBroker:
    assert world.broker is not None, "a broker that others use is left alone"
    return world.broker


_INJECT: Mapping[Kind, Callable[[Fault, World], tuple[Affected, ...]]] = MappingProxyType(
    {
        Kind.SIGKILL: _sigkill,
        Kind.SIGTERM: _sigterm,
        Kind.STOP_SHORT: _stop_short,
        Kind.STOP_LONG: _stop_long,
        Kind.ZOMBIE: _zombie,
        Kind.JOIN: _join,
        Kind.LEAVE: _leave,
        Kind.STEP_KILL: _step_kill,
        Kind.STEP_DELAY: _step_delay,
        Kind.MODEL_SWAP: _model_swap,
        Kind.SWAP_RESTART: _swap_restart,
        Kind.BROKER_RESTART: _broker_restart,
        Kind.BROKER_KILL: _broker_kill,
        Kind.BROKER_PAUSE: _broker_pause,
    }
)
