"""What a variant came to, and whether the story held. Pure: all of it is from what was read.

`detected` is the first finding since the planted day that is of its kind: of prices for a
shock, of a publisher for its unit. Counted are the market's events and sales from that day up
to where the market was when it was told. Errors are of what was answered by a champion and
sold: before the planted day; from then on while the first champion answered; and by its
successor.
"""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from demo.story import chronicle
from demo.story.chronicle import Chronicle, Said, Sold
from demo.story.scenes import Scene, Variant
from stream_app.contract.alerts import (
    Alert,
    Decision,
    NextStep,
    RequestAnswered,
    RolledBack,
    Trigger,
    WorkStep,
)

DRIFTS = (Trigger.ERROR_RISE, Trigger.CONCEPT_DRIFT, Trigger.FEATURES)
# Which step tells most of what came of it: the first of these that was decided.
TELLING = (NextStep.RETRAIN, NextStep.CALL_PERSON, NextStep.PREFLIGHT, NextStep.NOTHING)


class Summary(Struct, frozen=True, kw_only=True):
    """One variant. None: there is no such thing in it, or nothing was seen of it."""

    market: str
    variant: Variant
    shock: tuple[dict[str, object], ...]  # what was planted, as in the scenario file
    detected_after_events: int | None
    detected_after_planted: int | None  # those of them that something was planted into
    detected_after_labels: int | None
    decision: NextStep | None
    reasons: tuple[str, ...]
    retrained: bool
    promoted: bool
    rolled_back: bool
    confirmed: bool  # the new champion's probation is over
    named_publisher: str | None
    mae_before: float | None
    mae_during: float | None
    mae_after: float | None
    mdape_before: float | None  # median share: prices that rise make larger amounts of it
    mdape_during: float | None
    mdape_after: float | None
    false_alarms_before: int
    preflights: int
    events: int
    lost: int
    visible_twice: int
    run_s: float


NEVER_MS = 2**53  # later than any event


def summarise(scene: Scene, told: Chronicle, sent: int, run_s: float) -> Summary:
    """Bring together what was seen."""
    said = told.said
    shock_ms = NEVER_MS if scene.shock_ms is None else scene.shock_ms
    detected_ms = detection_ms(said, scene.variant, shock_ms)
    first, second = champions(told.sold)
    before = [s for s in told.sold if s.sold_ms < shock_ms]
    during = [s for s in told.sold if s.sold_ms >= shock_ms and s.champion == first]
    after = [s for s in told.sold if second is not None and s.champion == second]
    decided = telling(said, detected_ms)
    answers = [s.message for s in said if isinstance(s.message, RequestAnswered)]
    totals = told.account.totals()
    return Summary(
        market=scene.market,
        variant=scene.variant,
        shock=tuple(msgspec.to_builtins(scene.planted)),
        detected_after_events=counted(told.event_times_ms, shock_ms, detected_ms),
        detected_after_planted=counted(told.planted_times_ms, shock_ms, detected_ms),
        detected_after_labels=counted(told.sale_times_ms, shock_ms, detected_ms),
        decision=None if decided is None else decided.next_step,
        reasons=() if decided is None else decided.reasons,
        retrained=any(a.step is WorkStep.GATE for a in answers),
        promoted=any(a.promoted for a in answers),
        rolled_back=any(isinstance(s.message, RolledBack) for s in said),
        confirmed=any(
            isinstance(s.message, Decision) and s.message.next_step is NextStep.CONFIRM
            for s in said
        ),
        named_publisher=named_publisher(said, shock_ms),
        mae_before=mae(before),
        mae_during=mae(during),
        mae_after=mae(after),
        mdape_before=mdape(before),
        mdape_during=mdape(during),
        mdape_after=mdape(after),
        false_alarms_before=len(list(alarms_before(said, shock_ms))),
        preflights=sum(a.step is WorkStep.PREFLIGHT and a.status == "done" for a in answers),
        events=totals.events,
        lost=told.account.lost(sent),
        visible_twice=totals.visible_twice,
        run_s=round(run_s, 1),
    )


def first_finding(said: Iterable[Said], causes: Sequence[str], since_ms: int) -> Said | None:
    """The first alert of one of these causes that was told since then."""
    return next(
        (
            s
            for s in said
            if s.market_ms >= since_ms
            and isinstance(s.message, Alert)
            and s.message.cause in causes
        ),
        None,
    )


def detection_ms(said: Iterable[Said], variant: Variant, shock_ms: int) -> int | None:
    """Where the market was when what was planted was told."""
    causes = chronicle.OF_PUBLISHERS if variant is Variant.UNIT_ERROR else chronicle.OF_PRICES
    found = first_finding(said, causes, shock_ms)
    return None if found is None else found.market_ms


def telling(said: Iterable[Said], since_ms: int | None) -> Decision | None:
    """The decision that says what came of it; None: nothing was noticed, or decided."""
    decided = [
        s.message
        for s in said
        if isinstance(s.message, Decision)
        and since_ms is not None
        and s.market_ms >= since_ms
        and Trigger.PROBATION not in s.message.triggers
    ]
    found = {d.next_step: d for d in reversed(decided)}
    return next((found[step] for step in TELLING if step in found), None)


def alarms_before(said: Iterable[Said], shock_ms: int) -> Iterator[Said]:
    """What people were told, or a model was asked for, though nothing had happened."""
    for each in said:
        if each.market_ms >= shock_ms:
            return
        message = each.message
        drifts = isinstance(message, Decision) and (
            message.next_step is NextStep.CALL_PERSON or set(message.triggers) & set(DRIFTS)
        )
        if chronicle.is_finding(message) or drifts:
            yield each


def named_publisher(said: Iterable[Said], shock_ms: int) -> str | None:
    """Whom the first finding of a publisher names."""
    found = first_finding(said, chronicle.OF_PUBLISHERS, shock_ms)
    return (
        publisher_of(found.message.segment) if found and isinstance(found.message, Alert) else None
    )


def publisher_of(segment: str | None) -> str | None:
    """The publisher of a segment.

    >>> publisher_of("publisher=agency-b field=area_m2")
    'agency-b'
    """
    if segment is None or not segment.startswith("publisher="):
        return None
    return segment.removeprefix("publisher=").partition(" ")[0]


def champions(sold: Sequence[Sold]) -> tuple[str | None, str | None]:
    """Who answered first, and who followed."""
    answered = list(dict.fromkeys(s.champion for s in sold))
    return (answered[0] if answered else None), (answered[1] if len(answered) > 1 else None)


def counted(times_ms: Sequence[int], from_ms: int, to_ms: int | None) -> int | None:
    """How many lie in a span; None: it has no end."""
    return None if to_ms is None else sum(from_ms <= at <= to_ms for at in times_ms)


def mae(sold: Sequence[Sold]) -> float | None:
    """Mean error in the market's currency; None without any."""
    amounts = [abs(s.judged.answer - s.judged.sale) for s in sold]
    return round(statistics.fmean(amounts), 2) if amounts else None


def mdape(sold: Sequence[Sold]) -> float | None:
    """Median error as a share of the price; None without any."""
    shares = [abs(s.judged.answer / s.judged.sale - 1) for s in sold]
    return round(statistics.median(shares), 4) if shares else None


def faults(summary: Summary, scene: Scene) -> Iterator[str]:
    """Why the story did not hold, in words; none: it held."""
    if summary.lost or summary.visible_twice:
        yield f"{summary.lost:,} events lost, {summary.visible_twice:,} results visible twice"
    yield from FAULTS[scene.variant](summary, scene)


def _of_shock(summary: Summary, scene: Scene) -> Iterator[str]:
    if summary.detected_after_labels is None:
        yield "nobody noticed the shock"
    elif summary.decision is None:
        yield "nothing was decided about the shock"
    elif scene.whole:
        yield from _of_retraining(summary)


def _of_retraining(summary: Summary) -> Iterator[str]:
    if not summary.retrained:
        yield "no pre-flight said that a retraining would help, so nothing was retrained"
    elif not summary.promoted:
        yield "the retrained model was not promoted: it did not pass the gate"
    elif summary.rolled_back:
        yield "the new champion was rolled back"
    elif summary.mae_after is None or summary.mae_during is None:
        yield "no home that the new champion answered was sold"
    elif summary.mae_after >= summary.mae_during:
        yield "the answers did not get better"


def _of_unit(summary: Summary, scene: Scene) -> Iterator[str]:
    if summary.detected_after_labels is None:
        yield f"nobody noticed that {scene.publisher} switched units"
    elif summary.named_publisher != scene.publisher:
        yield f"{summary.named_publisher} was named, and it was {scene.publisher}"
    if summary.retrained:
        yield "a model was retrained on a publisher's mistake"


def _of_nothing(summary: Summary, _scene: Scene) -> Iterator[str]:
    if summary.false_alarms_before:
        yield f"{summary.false_alarms_before} alarms, and nothing had happened"
    if summary.retrained:
        yield "a model was retrained, and nothing had happened"


FAULTS: Mapping[Variant, Callable[[Summary, Scene], Iterator[str]]] = {
    Variant.PRICE_SHOCK: _of_shock,
    Variant.UNIT_ERROR: _of_unit,
    Variant.NONE: _of_nothing,
}
