"""The scorer: events in; predictions, outcomes, rejects and changed state out. A pure step.

Theory of operation
-------------------
A batch is taken in three passes, each in log order:

1. take in: decode and believe (intake.py), then core/pipeline.py: duplicates,
   clock, windows, features, ledger. Nothing here needs to know what a model says.
2. predict: all rows of a market in one vectorised call per model: to the champion
   those of listings and of sales, to the challenger those of the listings in its arm
   (of all listings, in a shadow), to the previous champion those that the champion
   says no price for; to each also the variants of listings that give its reasons
   (scoring/reasons.py).
3. finish: correct, put an interval around, publish (answer.py); a sale is joined
   with what was served and teaches its region at once.

Windows, clocks and ledger states change in 1 only, the region's corrector and
scale in 3 only. A model gives the same bits for a row alone and in any batch. So
the passes cannot be told from one event at a time, and any cutting of the log
into batches gives the same bytes.

At a sale the region learns the residual of the champion active *now*, on the
feature row that was served, less what the market level says of it: so a new
champion inherits a corrector that is already learning about it, less what it
knows by itself (scoring/handover.py).

Models are constant during a batch. When they differ from those in the control
record, the step says so on `housing.activations`, with the batch's first offset.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from stream_app.contract import topics, wire
from stream_app.contract.events import AnyEvent, Correction, Erasure, Listing, Sale
from stream_app.contract.ids import prediction_id
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Activated, CorrectorAnnounced, Overload
from stream_app.contract.predictions import Arm, QualityReason
from stream_app.contract.predictions import Step as Rung
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.core import pipeline
from stream_app.core.labels import Served, Verdict
from stream_app.core.pipeline import Desk, Done
from stream_app.core.region import Linear
from stream_app.scoring import corrector, handover, interval, rollout, sources
from stream_app.scoring.corrector import Learner
from stream_app.stages import answer, asking, intake, standing, step
from stream_app.stages.answer import Opinions, Remarks
from stream_app.stages.asking import Said
from stream_app.stages.desk import NOBODY, WARM_MAX, changed, lay_out, region_key
from stream_app.stages.standing import Register
from stream_app.stages.step import (
    Batch,
    Control,
    Mark,
    Output,
    PriceModel,
    Record,
    Roster,
    Serving,
    State,
    Step,
    Thawing,
)
from stream_app.stages.warm import Warm

NAME = "scorer"
SOURCE = topics.EVENTS
STATE_TOPIC = topics.STATE
READS_MODELS = True  # what serves is an argument of its step

_REJECTED = {
    Verdict.CONFLICT: (
        RejectCode.CONFLICT,
        "another event with this listing, kind and revision was first; raise the revision",
    ),
    Verdict.OTHER_MARKET: (
        RejectCode.OTHER_MARKET,
        "an event of this listing with another market was first; listing ids are of one market",
    ),
    Verdict.SOLD_BEFORE_LISTED: (
        RejectCode.SOLD_BEFORE_LISTED,
        "event_time_ms is before that of the listing it sells",
    ),
}
_NOTHING = Said(None)
_warm: Warm[Linear, Learner] = Warm(WARM_MAX)
_versions: Warm[CorrectorAnnounced, Learner] = Warm(2 * len(MARKETS))  # a market's, and its next


class Taken(Struct):
    """A believed event on its way through the passes."""

    record: Record
    event: AnyEvent
    repaired: bool
    done: Done
    # Pass 2: what the models active now say; absent: not asked.
    said: dict[Rung, Said] = {}

    def log_price(self, rung: Rung) -> float | None:
        said = self.said.get(rung)
        return None if said is None else said.log_price


class Bench(NamedTuple):
    """All that a batch works on."""

    batch: Batch
    serving: Mapping[str, Serving]
    control: Control
    desk: Desk
    register: Register
    region_levels: Thawing[Learner]  # by region
    market_levels: Thawing[Learner | None]  # by market; None: no version yet
    outputs: list[Output]


def advance(batch: Batch, state: State, serving: Mapping[str, Serving]) -> Step:
    """Take a batch of events in; see the theory of operation above."""
    bench = _set_up(batch, state, serving)
    _activate(bench, state)
    taken = [item for record in batch.records if (item := _take_in(record, bench)) is not None]
    _predict(taken, serving)
    for item in taken:
        _finish(item, bench)
    bench.control.applied_offset = batch.records[-1].offset
    return Step(tuple(bench.outputs), dict(_changed(bench)), bench.control.applied_offset)


def _market_level(models: Serving) -> Learner | None:
    """The market level in force; what it knew of the champion before is taken from it."""
    version, told = models.corrector, models.handover
    if version is None:
        return None
    if told is not None and version.champion == told.replaces:
        level = corrector.frozen_market(version)
        level.lower(told.market_log)
        return level
    level = _versions.take(version) or corrector.frozen_market(version)
    _versions.keep(version, level)  # it only predicts: whoever else has it does not mind
    return level


def _set_up(batch: Batch, state: State, serving: Mapping[str, Serving]) -> Bench:
    control = step.read_control(state) or Control(-1, batch.topic_id, 0, {}, {})
    control.topic_id = batch.topic_id
    register = standing.register(state, control, batch)
    desk = lay_out(state, control, serving, register.publishers)
    regions = desk.regions

    def region_level(name: str) -> Learner:
        state = regions[name].corrector
        return _warm.take(state) or corrector.region_learner(state)

    region_levels = Thawing(region_level)
    market_levels = Thawing(lambda name: _market_level(serving.get(name, NOBODY)))
    return Bench(batch, serving, control, desk, register, region_levels, market_levels, [])


def _activate(bench: Bench, state: State) -> None:
    """Say what serves from this batch on, models and policy, where that is news.

    The first batch says it in any case, also that no model serves: a replay must not need
    to know what the defaults of the policy were.
    """
    first = bench.batch.records[0]
    for market, serving in sorted(bench.serving.items()):
        now, before = serving.roster, bench.control.served.get(market)
        if before != now:
            bench.control.served[market] = now
            _hand_over(bench, state, before, now)
            partition = bench.batch.partition
            activated = Activated(
                partition=partition,
                from_offset=first.offset,
                market=market,
                **msgspec.structs.asdict(now),
            )
            key = str(partition).encode()
            bench.outputs.append(Output(topics.ACTIVATIONS, key, wire.encode(activated), partition))


def _hand_over(bench: Bench, state: State, before: Roster | None, now: Roster) -> None:
    """Let the regions of the partition give back what a new champion knows by itself.

    Where champion and previous change places, what was given back is undone.
    """
    told = now.handover
    if told is None or before is None or before.champion != told.replaces:
        return
    for name, shift_log in told.regions.items():
        if region_key(name) not in state:
            continue
        area = bench.desk.regions[name]
        known = area.corrector.intercept
        returns = now.champion == before.previous
        given = -area.handed_over if returns else handover.given_back(known, shift_log)
        area.corrector = msgspec.structs.replace(area.corrector, intercept=known - given)
        area.handed_over = given


def _take_in(record: Record, bench: Bench) -> Taken | None:
    """Pass 1 for one record; None when nothing more will come of it."""
    read = intake.read(record, bench.batch)
    if isinstance(read, Rejected):
        sender = intake.publisher_of(read)
        bench.outputs.append(intake.reject(read, sender, record, bench.batch))
        bench.outputs.extend(standing.note_refused(bench.register, read, sender, record))
        return None
    event = read.event
    share = bench.serving.get(event.market, NOBODY).challenger_share
    arm = rollout.arm_of(event.listing_id, share) if share else Arm.CHAMPION
    done = pipeline.featurise(event, bench.desk, arm)
    repaired, refused = bool(read.repaired), done.verdict in _REJECTED
    noted = standing.note_believed(bench.register, event, done, repaired, refused, record)
    bench.outputs.extend(noted)
    if refused:
        rejected = Rejected(*_REJECTED[done.verdict], record.value or b"")
        bench.outputs.append(intake.reject(rejected, event.source, record, bench.batch))
        return None
    watermark = bench.desk.shelves[event.market].ledger.watermark
    bench.control.watermark_ms = max(bench.control.watermark_ms, watermark.newest_ms)
    return Taken(record, event, repaired, done)


def _predict(taken: list[Taken], serving: Mapping[str, Serving]) -> None:
    """Pass 2: the active models' log prices for every row that needs one, and why."""
    for market, models in serving.items():
        items = [i for i in taken if i.event.market == market and i.done.served is not None]
        explains = models.overload is Overload.NONE
        _ask(models.champion, Rung.CHAMPION, items, explains)
        listings = [i for i in items if i.done.verdict is Verdict.SCORED]
        challenged = [i for i in listings if models.shadows or _served(i).arm is Arm.CHALLENGER]
        _ask(models.challenger, Rung.CHALLENGER, challenged, explains)
        left = [i for i in listings if i.log_price(Rung.CHAMPION) is None]
        _ask(models.previous, Rung.PREVIOUS, left, explains)


def _ask(model: PriceModel | None, rung: Rung, items: Sequence[Taken], explains: bool) -> None:
    if model is None or not items:
        return
    homes = [_served(i).features for i in items]
    said = asking.ask(model, homes, [i.done.typical if explains else None for i in items])
    for item, words in zip(items, said, strict=True):
        item.said[rung] = words


def _served(item: Taken) -> Served:
    served = item.done.served
    assert served is not None  # noqa: S101 - callers have looked
    return served


def _finish(item: Taken, bench: Bench) -> None:
    """Pass 3 for one event."""
    event, verdict = item.event, item.done.verdict
    if isinstance(event, Listing) and verdict is Verdict.SCORED:
        _answer(item, event, bench)
    elif isinstance(event, Sale | Correction) and verdict in (Verdict.JOINED, Verdict.CORRECTED):
        _settle(item, event, bench)
    elif isinstance(event, Erasure):
        key = event.listing_id.encode("utf-8", "replace")
        for topic in (topics.PREDICTIONS, topics.SHADOW):
            bench.outputs.append(Output(topic, key, None, bench.batch.partition))


def _answer(item: Taken, listing: Listing, bench: Bench) -> None:
    served, serving = _served(item), bench.serving.get(listing.market, NOBODY)
    opinions = _opinions(item, served, listing, bench)
    area = bench.desk.regions[listing.region]
    served.region_labels = (bench.region_levels.get(listing.region) or area.corrector).labels
    region_errors = bench.desk.regions[listing.region].scale
    partition = bench.batch.partition
    if serving.shadows:
        shadow = _in_the_other_arm(served, listing)
        skipped = answer.fill(shadow, opinions, serving, region_errors)
        done = item.done._replace(superseded=None)  # what it would take the place of was served
        remarks = _remarks(item, shadow, skipped, serving)
        told = (listing, shadow, done, remarks, item.record, partition)
        bench.outputs.append(answer.prediction(*told, topics.SHADOW))
    skipped = answer.fill(served, opinions, serving, region_errors)
    remarks = _remarks(item, served, skipped, serving)
    told = (listing, served, item.done, remarks, item.record, partition)
    bench.outputs.append(answer.prediction(*told))


def _remarks(
    item: Taken, served: Served, skipped: tuple[QualityReason, ...], serving: Serving
) -> Remarks:
    overloaded = serving.overload is not Overload.NONE
    return Remarks(item.repaired, skipped, item.said.get(served.step, _NOTHING), overloaded)


def _opinions(item: Taken, served: Served, listing: Listing, bench: Bench) -> Opinions:
    market, region = 0.0, 0.0
    if any(said.log_price is not None for said in item.said.values()):
        market_level = bench.market_levels[listing.market]
        market = market_level.predict(served.features) if market_level else 0.0
        region = bench.region_levels[listing.region].predict(served.features)
    return Opinions(
        item.done.naive_log,
        item.log_price(Rung.CHAMPION),
        market,
        region,
        item.log_price(Rung.PREVIOUS),
        item.log_price(Rung.CHALLENGER),
    )


def _in_the_other_arm(served: Served, listing: Listing) -> Served:
    """A listing as it would be served if it had been given to the challenger."""
    return msgspec.structs.replace(
        served,
        arm=Arm.CHALLENGER,
        prediction_id=prediction_id(
            listing.region, listing.listing_id, listing.event_id, Arm.CHALLENGER
        ),
    )


def _settle(item: Taken, event: Sale | Correction, bench: Bench) -> None:
    """Join a sale with what was served, publish it, and learn from it."""
    served = _served(item)
    corrects = item.done.verdict is Verdict.CORRECTED
    residual, champion_log = None, item.log_price(Rung.CHAMPION)
    if champion_log is not None:
        residual = math.log(event.sale_price) - champion_log
    bench.outputs.append(
        answer.outcome(
            event,
            served,
            corrects,
            not item.done.doubted,
            residual,
            bench.serving.get(event.market, NOBODY),
            item.record,
        )
    )
    if residual is not None and not corrects and not item.done.doubted:
        _learn(served, event, residual, bench)


def _learn(served: Served, event: Sale | Correction, residual: float, bench: Bench) -> None:
    market_level = bench.market_levels[event.market]
    left = residual - (market_level.predict(served.features) if market_level else 0.0)
    region_level, area = bench.region_levels[event.region], bench.desk.regions[event.region]
    rest = left - region_level.predict(served.features)
    if not sources.admit(area.sources, event.source, rest):
        counts, left_out = bench.control.counts, f"sale:{Mark.LEFT_OUT}"
        counts[left_out] = counts.get(left_out, 0) + 1
        return
    region_level.learn(served.features, left)
    if served.step is Rung.CHAMPION and served.price is not None:
        error = abs(math.log(event.sale_price) - math.log(served.price))
        expected = answer.market_scale(bench.serving[event.market])
        if expected:
            ratio = error / (expected * served.segment_factor)
            interval.decayed_add(area.scale, ratio, interval.REGION_DECAY)


def _changed(bench: Bench) -> Iterator[tuple[str, bytes | None]]:
    """The records that the batch has touched, frozen."""
    for name, level in bench.region_levels.items():
        frozen = bench.desk.regions[name].corrector = level.freeze()
        _warm.keep(frozen, level)
    yield from changed(bench.desk)
    yield from standing.changed(bench.register)
    yield step.CONTROL_KEY, msgspec.msgpack.encode(bench.control, order="deterministic")
