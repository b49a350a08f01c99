"""What a run came to: `summary.json`, and the exit status that follows from it."""

from collections.abc import Sequence

from msgspec import Struct

from demo import metrics
from demo.account import Place
from demo.watch import Watch

LOST_OR_DOUBLED = 1


class Summary(Struct, frozen=True, kw_only=True):
    """All but `sent`, `setup_s` and `run_s` is computed from what a read_committed consumer saw.

    Errors are over sales whose listing was answered by a champion: `mae_*` in the
    market's currency, the others as fractions. Latency is over the paced part,
    throughput over the part that flowed as fast as it goes.
    """

    market: str
    currency: str
    sent: int  # events that the producers confirmed
    events: int
    predictions: int
    rejects: int
    late: int
    duplicates: int
    outcomes: int
    lost: int
    visible_twice: int
    judged: int  # sales that the errors below are over
    mae_naive: float | None
    mae_champion: float | None
    mae_answer: float | None
    mdape_naive: float | None
    mdape_champion: float | None
    mdape_answer: float | None
    bias_answer: float | None
    coverage_90: float | None
    scored_per_s: float | None
    paced_events_per_s: int
    p50_ms: float | None
    p99_ms: float | None
    champion: str | None
    corrector: str | None
    setup_s: float
    run_s: float


class Run(Struct, frozen=True, kw_only=True):
    """What the demo itself knows of a run."""

    market: str
    currency: str
    sent: int
    paced_events_per_s: int
    setup_s: float
    run_s: float


def summarise(watch: Watch, run: Run) -> Summary:
    """Bring together what was seen and what the demo knows."""
    totals = watch.account.totals()
    errors = metrics.errors(watch.judged)
    paced = (p for p in watch.account.answered_ms if _is_paced(p, watch.paced_from))
    latencies_ms = watch.account.latencies_ms(paced)
    return Summary(
        market=run.market,
        currency=run.currency,
        sent=run.sent,
        events=totals.events,
        predictions=totals.predictions,
        rejects=totals.rejects,
        late=totals.late,
        duplicates=totals.duplicates,
        outcomes=totals.outcomes,
        lost=watch.account.lost(run.sent),
        visible_twice=totals.visible_twice,
        judged=errors.rows,
        mae_naive=errors.mae_naive,
        mae_champion=errors.mae_champion,
        mae_answer=errors.mae_answer,
        mdape_naive=errors.mdape_naive,
        mdape_champion=errors.mdape_champion,
        mdape_answer=errors.mdape_answer,
        bias_answer=errors.bias_answer,
        coverage_90=errors.coverage_90,
        scored_per_s=_rounded(per_second(watch.answers_ms[: watch.fast_answers])),
        paced_events_per_s=run.paced_events_per_s,
        p50_ms=_rounded(metrics.quantile(latencies_ms, 0.50)),
        p99_ms=_rounded(metrics.quantile(latencies_ms, 0.99)),
        champion=watch.champion(),
        corrector=watch.corrector,
        setup_s=run.setup_s,
        run_s=run.run_s,
    )


def exit_status(summary: Summary) -> int:
    """0 when every event is accounted for once, else 1."""
    return LOST_OR_DOUBLED if summary.lost or summary.visible_twice else 0


def per_second(received_ms: Sequence[float]) -> float | None:
    """Rate between the first and the last; None when that cannot be told.

    >>> per_second([0.0, 500.0, 1000.0])
    2.0
    """
    if len(received_ms) < 2 or received_ms[-1] <= received_ms[0]:
        return None
    return (len(received_ms) - 1) / (received_ms[-1] - received_ms[0]) * 1000


def _is_paced(place: Place, paced_from: dict[int, int]) -> bool:
    return place.offset >= paced_from.get(place.partition, 0)


def _rounded(value: float | None) -> float | None:
    """To tenths: a clock in milliseconds knows no more."""
    return None if value is None else round(value, 1)
