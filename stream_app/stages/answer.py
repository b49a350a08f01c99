"""What is answered to a listing, and what is said when its sale comes.

The fallback ladder stands here: the challenger in its own arm, else the champion,
else the one before it, else the regional median per m2, else nothing. The rung that
answers is named, and of those above it, why they did not.

Every model's answer is corrected alike: what the corrector has learned of the
champion is mostly what prices did, whoever is asked. The interval of a challenger's
or a previous champion's answer starts from its own holdout: the rolling scores are
those of the champion's answers.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from stream_app.contract import topics, wire
from stream_app.contract.events import Correction, Listing, Sale
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import CorrectorAnnounced
from stream_app.contract.predictions import (
    Arm,
    Components,
    Outcome,
    Prediction,
    Quality,
    QualityReason,
    Step,
    Versions,
)
from stream_app.contract.topics import Topic
from stream_app.core.features import FEATURE_SET
from stream_app.core.labels import Served
from stream_app.core.pipeline import Done
from stream_app.core.region import Decayed
from stream_app.core.watermark import Timing
from stream_app.scoring import corrector, interval
from stream_app.scoring.scope import Limits
from stream_app.stages import changes
from stream_app.stages.asking import Said
from stream_app.stages.step import Output, PriceModel, Record, Serving

# Log units. A publisher who sends prices in millions has scores of 100 and a scale of 10
# before long: exp of their product is no number. Beyond this an interval says nothing.
HALF_WIDTH_LIMIT = 10.0
DETAILS_MAX = 8  # names beside the reasons for doubt
_MODELS = (Step.CHALLENGER, Step.CHAMPION, Step.PREVIOUS)


class Opinions(NamedTuple):
    """What the models say of one listing, log units. None: nothing, or no price."""

    naive_log: float | None
    champion_log: float | None
    market_correction: float
    region_correction: float
    previous_log: float | None = None
    challenger_log: float | None = None


class Remarks(NamedTuple):
    """What is said beside the price."""

    repaired: bool = False
    skipped: tuple[QualityReason, ...] = ()  # what `fill` gave
    said: Said = Said(None)  # by the model that answered
    overloaded: bool = False  # so that nobody asked it for reasons


class Rung(NamedTuple):
    """A model on the ladder."""

    step: Step
    model: PriceModel | None
    log_price: float | None
    absent: QualityReason | None  # why it does not answer if it is not there
    unusable: QualityReason  # and if it says no price


def fill(
    served: Served, opinions: Opinions, serving: Serving, region_errors: Decayed
) -> tuple[QualityReason, ...]:
    """Put the answer into what was served; give why rungs above the one that answers did not."""
    version = serving.corrector
    guard_weight = 1.0 if version is None else version.guard_weight
    skipped: list[QualityReason] = []
    model, champion_log = None, None
    for rung in _ladder(served.arm, opinions, serving):
        if rung.model is not None and rung.log_price is not None:
            model, champion_log, served.step = rung.model, rung.log_price, rung.step
            break
        reason = rung.absent if rung.model is None else rung.unusable
        skipped += [] if reason is None else [reason]
    served.versions = Versions(
        champion=None if model is None else model.version,
        corrector=None if version is None else version.version,
        feature_set=FEATURE_SET,
    )
    served.components = Components(
        naive_log=opinions.naive_log,
        champion_log=champion_log,
        market_correction=opinions.market_correction,
        region_correction=opinions.region_correction,
        guard_weight=guard_weight,
    )
    if model is not None and champion_log is not None:
        both = opinions.market_correction + opinions.region_correction
        answer = champion_log + guard_weight * corrector.clipped(both)
        served.price = math.exp(answer)
        judged = version if served.step is Step.CHAMPION else None
        _surround(served, answer, model, judged, region_errors)
    elif opinions.naive_log is not None:
        served.step = Step.REGIONAL_MEDIAN
        served.price = math.exp(opinions.naive_log)
    return tuple(skipped)


def _ladder(arm: Arm, opinions: Opinions, serving: Serving) -> Iterator[Rung]:
    if arm is Arm.CHALLENGER:
        yield Rung(
            Step.CHALLENGER,
            serving.challenger,
            opinions.challenger_log,
            None,
            QualityReason.CHALLENGER_UNUSABLE,
        )
    yield Rung(
        Step.CHAMPION,
        serving.champion,
        opinions.champion_log,
        QualityReason.NO_CHAMPION,
        QualityReason.CHAMPION_UNUSABLE,
    )
    yield Rung(
        Step.PREVIOUS,
        serving.previous,
        opinions.previous_log,
        None,
        QualityReason.PREVIOUS_UNUSABLE,
    )


def market_scale(serving: Serving) -> float | None:
    """Mean |log residual| to expect of the champion's answers now; None: nobody knows."""
    version, champion = serving.corrector, serving.champion
    if version is not None and version.scale is not None:
        return version.scale
    return None if champion is None else champion.scale


def _surround(
    served: Served,
    answer_log: float,
    model: PriceModel,
    version: CorrectorAnnounced | None,
    region_errors: Decayed,
) -> None:
    """Put the 90 % interval around the answer; none while too little is known."""
    served.region_factor = interval.region_factor(region_errors)
    served.segment_factor = interval.segment_factor(version, answer_log, served.property_type)
    # Scale and quantile belong together: both of the rolling errors, or of the holdout.
    known: PriceModel | CorrectorAnnounced = model
    if version is not None and version.scale is not None and version.score_quantile is not None:
        known = version
    if known.scale is None:
        return
    served.region_scale = known.scale * served.region_factor
    if known.score_quantile is not None:
        half = known.score_quantile * served.region_scale * served.segment_factor
        half = min(HALF_WIDTH_LIMIT, half)
        served.price_low = math.exp(answer_log - half)
        served.price_high = math.exp(answer_log + half)


def prediction(
    listing: Listing,
    served: Served,
    done: Done,
    remarks: Remarks,
    record: Record,
    partition: int,
    topic: Topic = topics.PREDICTIONS,
) -> Output:
    """The record for `housing.predictions`, or `housing.shadow`."""
    components, versions = _filled(served)
    marks, beyond = remarks.said.marks, _beyond(served, remarks.said.limits)
    doubts = remarks.skipped + _doubts(served, done, remarks, bool(beyond))
    before = done.superseded
    message = Prediction(
        prediction_id=served.prediction_id,
        event_id=listing.event_id,
        listing_id=listing.listing_id,
        revision=listing.revision,
        market=listing.market,
        region=listing.region,
        event_time_ms=listing.event_time_ms,
        source_partition=partition,
        source_offset=record.offset,
        trace_id=listing.trace_id,
        currency=MARKETS[listing.market].currency,
        price=served.price,
        price_low=served.price_low,
        price_high=served.price_high,
        step=served.step,
        quality=Quality.DEGRADED if doubts else Quality.OK,
        quality_reasons=doubts,
        quality_details=(*marks.unseen, *marks.outside, *beyond)[:DETAILS_MAX],
        components=components,
        reasons=remarks.said.reasons,
        versions=versions,
        features=served.features,
        feature_age_ms=done.feature_age_ms,
        supersedes=None if before is None else before.prediction_id,
        changed=() if before is None else changes.since(before, served),
        moved_log=None if before is None else changes.moved_log(before, served),
        arm=served.arm,
    )
    return Output(
        topic,
        listing.listing_id.encode("utf-8", "replace"),
        wire.encode(message),
        partition,
        cause_ms=record.append_time_ms,
    )


def _filled(served: Served) -> tuple[Components, Versions]:
    assert served.components is not None  # noqa: S101 - answered before
    assert served.versions is not None  # noqa: S101 - answered before
    return served.components, served.versions


def _beyond(served: Served, limits: Limits | None) -> tuple[str, ...]:
    if limits is None or served.price is None:
        return ()
    return limits.beyond(served.property_type, served.price)


def _doubts(
    served: Served, done: Done, remarks: Remarks, beyond: bool
) -> tuple[QualityReason, ...]:
    findings = (
        (served.step is Step.NONE, QualityReason.NO_REGIONAL_SALES),
        (served.step in _MODELS and served.price_low is None, QualityReason.NO_INTERVAL),
        (done.timing is Timing.LATE, QualityReason.LATE),
        (done.timing is Timing.LEAP, QualityReason.TIME_JUMP),
        (done.already_sold, QualityReason.ALREADY_SOLD),
        (remarks.repaired, QualityReason.REPAIRED),
        (done.doubted, QualityReason.PUBLISHER_DOUBTED),
        (bool(remarks.said.marks.unseen), QualityReason.UNSEEN_CATEGORY),
        (bool(remarks.said.marks.outside), QualityReason.OUTSIDE_TRAINING),
        (beyond, QualityReason.OUT_OF_SCOPE),
        (remarks.overloaded, QualityReason.OVERLOADED),
    )
    return tuple(reason for holds, reason in findings if holds)


def outcome(
    event: Sale | Correction,
    served: Served,
    corrects: bool,
    teaches: bool,
    active_residual_log: float | None,
    serving: Serving,
    record: Record,
) -> Output:
    """The record for `housing.outcomes`."""
    components, versions = _filled(served)
    active, told = serving.champion, serving.handover
    message = Outcome(
        prediction_id=served.prediction_id,
        listing_id=event.listing_id,
        market=event.market,
        region=event.region,
        source=event.source,
        sale_event_id=event.event_id,
        sale_revision=event.revision,
        corrects=corrects,
        teaches=teaches,
        listed_ms=served.listed_ms,
        sold_ms=event.event_time_ms,
        sale_price=event.sale_price,
        price=served.price,
        price_low=served.price_low,
        price_high=served.price_high,
        step=served.step,
        late=served.late,
        area_m2=served.area_m2,
        property_type=served.property_type,
        components=components,
        versions=versions,
        region_scale=served.region_scale,
        segment_factor=served.segment_factor,
        region_factor=served.region_factor,
        active_champion=None if active is None else active.version,
        active_residual_log=active_residual_log,
        active_replaced=None if told is None else told.replaces,
        active_shift_log=0.0 if told is None else told.market_log,
        features=served.features,
        arm=served.arm,
    )
    return Output(
        topics.OUTCOMES,
        event.market.encode(),
        wire.encode(message),
        cause_ms=record.append_time_ms,
    )
