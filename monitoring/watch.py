"""What is said of a market now: decisions, and what is asked of offline in consequence. Pure.

Theory of operation
-------------------
Gathered before (evidence.py, history.py), written after (watch_loop.py), all of it in one
transaction: a decision and its request are there together or not at all. A request's id is made
of what was decided, and for which moment of the market: so the same decision asks for the same.

Judged is at the end of each round and, in a round that reads more than a day of the market, at the
end of each of its days: a year that is replayed in minutes is decided day by day. What lies
before the last decision on the topic was judged by whoever wrote it, and is not judged again.

The same "no" is written when more than its figures changed, and once a day of the market.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec.structs import replace

from monitoring import history as histories
from monitoring import policy, probation
from monitoring.criteria import Criteria
from monitoring.evidence import Market
from monitoring.history import POLICY, History
from monitoring.policy import Now
from monitoring.probation import Trial
from stream_app.contract.alerts import (
    AnyAlertMessage,
    AnyRequest,
    Decision,
    NextStep,
    PreflightRequested,
    RetrainRequested,
    RollbackRequested,
    Trigger,
)
from stream_app.contract.spans import DAY_MS

ASKED: Mapping[NextStep, type[AnyRequest]] = MappingProxyType(
    {
        NextStep.PREFLIGHT: PreflightRequested,
        NextStep.RETRAIN: RetrainRequested,
        NextStep.ROLL_BACK: RollbackRequested,
    }
)


def is_day_over(market: Market, history: History) -> bool:
    """Whether the market has come to another day than it was last judged on."""
    last = history.last
    return last is None or market.time_ms // DAY_MS > histories.at_ms(last) // DAY_MS


def judge(
    market: Market, history: History, wall_ms: int, criteria: Criteria
) -> list[AnyAlertMessage]:
    """What is to be written of a market that has a champion and a time; else nothing."""
    if market.reign is None or not market.time_ms:
        return []
    now = Now(market.time_ms, wall_ms)
    trial = market.trial(history.judged, _began_ms(market, history))
    decided = [] if trial is None else [probation.decide(trial, now, criteria)]
    evidence = market.evidence(_unsettled(market.reign.version, trial, history))
    decided.append(policy.decide(evidence, history, now, criteria))
    return [message for each in decided if is_news(each, history) for message in written(each)]


def is_news(decided: Decision, history: History) -> bool:
    """Whether it says more than was said before of the same."""
    on_probation = Trigger.PROBATION in decided.triggers
    last = history.probation if on_probation else history.last
    if last is None or decided.next_step in ASKED or _gist(decided) != _gist(last):
        return True
    same_day = histories.at_ms(decided) // DAY_MS == histories.at_ms(last) // DAY_MS
    return not on_probation and not same_day


def written(decided: Decision) -> Iterator[AnyAlertMessage]:
    """The decision, and the request it leads to."""
    kind = ASKED.get(decided.next_step)
    if kind is None:
        yield decided
        return
    at = datetime.fromtimestamp(histories.at_ms(decided) / 1000, UTC)
    name = f"{kind.__struct_config__.tag}-{decided.market}-{at:%Y%m%dT%H%M%S}"
    yield replace(decided, request_id=name)
    request = kind(
        request_id=name,
        market=decided.market,
        requested_ms=decided.decided_ms,
        reasons=decided.reasons,
        requested_by=POLICY,
    )
    if isinstance(request, RollbackRequested):
        request = replace(request, leave_version=decided.champion)
    yield request


def _gist(decided: Decision) -> tuple[object, ...]:
    return decided.next_step, decided.triggers, decided.champion


def _began_ms(market: Market, history: History) -> int:
    """When the probation began: what was first said of it."""
    last, reign = history.probation, market.reign
    is_its_own = last is not None and reign is not None and last.champion == reign.version
    return histories.at_ms(last) if last is not None and is_its_own else market.time_ms


def _unsettled(version: str, trial: Trial | None, history: History) -> str | None:
    """Why the champion cannot be followed by another one yet."""
    if trial is not None:
        return f"{version} is on probation"
    if history.judged.get(version) is NextStep.ROLL_BACK:
        return f"{version} is to be left"
    return None
