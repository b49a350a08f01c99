"""The learner: outcomes in, versions of a market's correction out. A pure step.

Theory of operation
-------------------
One partition of `housing.outcomes` holds all outcomes of a market, in the order
that the log gave them. What spans partitions of the events is learned here: the
market level of the corrector, the guard's weight, the scores of the interval,
and the market's error scale.

Every outcome is learned from once, in order. A corrected sale price is not
learned again: its first price cannot be unlearned one by one, and a rewind
replays the log without it. An outcome whose listing somebody else than the
champion answered (a challenger, the regional median) teaches the market level (its
residual is against the champion active at the sale), but neither guard nor
interval: those judge the champion's answers.

A label is not learned from, and judges nothing, while its publisher is doubted
(`teaches`), or while its source contradicts all others (scoring/sources.py): a
single source of labels does not move a market that others speak of.

Every `VERSION_LABELS` labels all of it is frozen as a version and announced on
`housing.models`, in the transaction that holds the outcomes it learned from. It
is constant for the scorers until the next one: so any range of events replays
with the versions it was served with.
"""

import math
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from stream_app.contract import topics, wire
from stream_app.contract.models import CorrectorAnnounced, LiveErrors
from stream_app.contract.predictions import Outcome, Step
from stream_app.contract.rejects import InvariantBroken
from stream_app.core.region import Decayed, Linear, Sources
from stream_app.scoring import corrector, guard, interval, sources
from stream_app.scoring.corrector import Learner
from stream_app.scoring.guard import Guard
from stream_app.scoring.interval import Segments
from stream_app.stages import step
from stream_app.stages.step import Batch, Control, Output, Record, Serving, State

NAME = "learner"
SOURCE = topics.OUTCOMES
STATE_TOPIC = topics.LEARNER_STATE
READS_MODELS = False  # an outcome says all

# Fresher versions gain at most 0.1 %; more rarely, a shift is seen later.
VERSION_LABELS = 200

LAYOUT = 3  # of a market's record: one of another layout is refused, never guessed at


class Errors(Struct, array_like=True):
    """Decayed |log residual| of the three prices, of the sales that have all of them."""

    naive: Decayed = msgspec.field(default_factory=Decayed)
    champion: Decayed = msgspec.field(default_factory=Decayed)
    answer: Decayed = msgspec.field(default_factory=Decayed)
    sales: int = 0


class Market(Struct, array_like=True):
    """State of one market."""

    layout: int = LAYOUT
    linear: Linear = msgspec.field(default_factory=Linear)
    guard: Guard = msgspec.field(default_factory=lambda: Guard(Decayed(), Decayed()))
    scale: Decayed = msgspec.field(default_factory=Decayed)
    scores: list[float] = []  # |log residual| / (region factor * segment factor), newest last
    labels: int = 0
    versions: int = 0
    segments: Segments = msgspec.field(default_factory=Segments)
    errors: Errors = msgspec.field(default_factory=Errors)
    sources: Sources = msgspec.field(default_factory=Sources)
    champions: list[str] = []  # it has learned from the errors of, the newest two


def advance(batch: Batch, state: State, serving: Mapping[str, Serving]) -> step.Step:
    """Learn from a batch of outcomes. `serving` is not used: an outcome says all."""
    del serving
    control = step.read_control(state) or Control(-1, batch.topic_id, 0, {}, {})
    control.topic_id = batch.topic_id
    markets: dict[str, Market] = {}
    learners: dict[str, Learner] = {}
    outputs: list[Output] = []
    for record in batch.records:
        outcome = wire.decode_outcome(record.value or b"")
        name = outcome.market
        if name not in markets:
            markets[name] = _thaw(state.get(_key(name)))
            learners[name] = corrector.market_learner(markets[name].linear)
        market, learner = markets[name], learners[name]
        if _learn(market, learner, outcome):
            market.labels += 1
            if market.labels % VERSION_LABELS == 0:
                outputs.append(_version(name, market, learner, batch.partition, record))
        control.applied_offset = record.offset
        control.watermark_ms = max(control.watermark_ms, outcome.sold_ms)
        control.counts["outcome:read"] = control.counts.get("outcome:read", 0) + 1
    changed: dict[str, bytes | None] = {}
    for name, market in markets.items():
        market.linear = learners[name].freeze()
        changed[_key(name)] = _encoder.encode(market)
    changed[step.CONTROL_KEY] = _encoder.encode(control)
    return step.Step(tuple(outputs), changed, control.applied_offset)


_encoder = msgspec.msgpack.Encoder(order="deterministic")


def _key(market: str) -> str:
    return f"market:{market}"


def _thaw(frozen: bytes | None) -> Market:
    if frozen is None:
        return Market()
    try:
        market = msgspec.msgpack.decode(frozen, type=Market)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvariantBroken(f"market record of {len(frozen)} bytes: {error}") from error
    if market.layout != LAYOUT:
        raise InvariantBroken(f"market record of layout {market.layout}, this is {LAYOUT}")
    return market


def _learn(market: Market, learner: Learner, outcome: Outcome) -> bool:
    """Take one outcome in; False when there is nothing to learn from it."""
    if outcome.corrects or not outcome.teaches or outcome.active_residual_log is None:
        return False
    _hand_over(market, learner, outcome)
    left = outcome.active_residual_log - learner.predict(outcome.features)
    if not sources.admit(market.sources, outcome.source, left):
        return False
    learner.learn(outcome.features, outcome.active_residual_log)
    if outcome.step is Step.CHAMPION:
        _judge(market, outcome)
    return True


def _hand_over(market: Market, learner: Learner, outcome: Outcome) -> None:
    """Go on with what is left when another champion takes over, or returns.

    Partitions change champions one by one: outcomes of the one before that still come are
    learned from as they are, and move nothing.
    """
    champion, now = outcome.active_champion, market.champions[-1:]
    if champion is None or [champion] == now:
        return
    if [outcome.active_replaced] == now:
        learner.lower(outcome.active_shift_log)
    elif champion in market.champions:
        return
    market.champions = [*now, champion]


def _judge(market: Market, outcome: Outcome) -> None:
    """Take the errors of what was served: for the guard, the interval and who looks on."""
    served = outcome.components
    assert served.champion_log is not None  # noqa: S101 - step is CHAMPION
    assert outcome.price is not None  # noqa: S101 - step is CHAMPION
    sold_log, price_log = math.log(outcome.sale_price), math.log(outcome.price)
    correction = corrector.clipped(served.market_correction + served.region_correction)
    of_champion, of_answer = abs(sold_log - served.champion_log), abs(sold_log - price_log)
    of_corrected = abs(sold_log - served.champion_log - correction)
    guard.observe(market.guard, of_champion, of_corrected)
    _measure(market, outcome, price_log, of_answer)
    if served.naive_log is not None:
        live = market.errors
        live.sales += 1
        of_naive = abs(sold_log - served.naive_log)
        for mean, error in (
            (live.naive, of_naive),
            (live.champion, of_champion),
            (live.answer, of_answer),
        ):
            interval.decayed_add(mean, error, guard.DECAY)


def _measure(market: Market, outcome: Outcome, price_log: float, error: float) -> None:
    """Take an error in for the interval: scores, market scale and segments."""
    ratio, scale = error / outcome.region_factor, _scale(market)
    if scale:
        interval.observe(market.segments, price_log, outcome.property_type, ratio / scale)
    market.scores.append(ratio / outcome.segment_factor)
    del market.scores[: -interval.SCORES_KEPT]
    interval.decayed_add(market.scale, error, interval.SCALE_DECAY)


def _scale(market: Market) -> float | None:
    """Mean |log residual|; None while too few are known."""
    return _mean(market.scale) if len(market.scores) >= interval.SCALE_LABELS_MIN else None


def _quantile(market: Market, scale: float | None) -> float | None:
    """Of the scores, as a multiple of the scale; None while too few are known."""
    if not scale or len(market.scores) < interval.SCORES_MIN:
        return None
    quantile = interval.quantile(market.scores)
    return None if quantile is None else quantile / scale


def _version(name: str, market: Market, learner: Learner, partition: int, record: Record) -> Output:
    market.versions += 1
    interval.move_edges(market.segments)
    segments, linear, scale = market.segments, learner.freeze(), _scale(market)
    announced = CorrectorAnnounced(
        market=name,
        version=f"{market.versions:06d}",
        outcome_partition=partition,
        outcome_offset=record.offset,
        labels=market.labels,
        feature_names=corrector.FEATURES,
        counts=tuple(linear.counts),
        means=tuple(linear.means),
        variances=tuple(linear.variances),
        weights=tuple(linear.weights),
        intercept=linear.intercept,
        guard_weight=guard.weight(market.guard),
        scale=scale,
        score_quantile=_quantile(market, scale),
        left_out=sources.left_out(market.sources),
        band_edges_log=tuple(segments.edges_log),
        band_factors=tuple(map(interval.shrunk, segments.bands)) if segments.edges_log else (),
        type_factors={n: interval.shrunk(d) for n, d in sorted(segments.types.items())},
        errors=_live(market.errors),
        champion=market.champions[-1] if market.champions else None,
    )
    key = f"{name}/corrector/{announced.version}"
    return Output(topics.MODELS, key.encode(), wire.encode(announced), partition=0)


def _live(errors: Errors) -> LiveErrors | None:
    if not errors.sales:
        return None
    return LiveErrors(
        _mean(errors.naive), _mean(errors.champion), _mean(errors.answer), errors.sales
    )


def _mean(decayed: Decayed) -> float:
    return decayed.total / decayed.weight
