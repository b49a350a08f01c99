"""`python -m monitoring decisions list`: what was decided, why, and what followed."""

import argparse
from datetime import UTC, datetime

import msgspec

from monitoring import decisions
from monitoring.alerting import topic
from monitoring.alerting.notices import clean
from monitoring.decisions import Traced
from monitoring.history import at_ms
from monitoring.settings import MonitoringSettings
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    told = commands.add_parser(
        "decisions",
        help="list what was decided, why, and what followed",
        description="The audit trail on housing.alerts: the alerts that stood, the decision with"
        " its reasons, what was asked of offline, its answers, gate, promotion and probation.",
    )
    actions = told.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser(
        "list",
        help="the newest last; times are the market's own (UTC)",
        description="Each decision with what led to it and what followed, the newest last; times are"
        " the market's own (UTC).",
    )
    listed.add_argument("--market", choices=sorted(MARKETS), help="default: all")
    listed.add_argument("--json", action="store_true", help="print one line of JSON")
    listed.set_defaults(run=_list)


def _list(given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    found = decisions.of_log(topic.read(kafka), given.market)
    if given.json:
        print(msgspec.json.encode({"decisions": found}).decode())
        return 0
    before: dict[str, str | None] = {}
    for each in found:
        decided = each.decision
        print("\n".join(lines(each, before.get(decided.market, decided.criteria))))
        before[decided.market] = decided.criteria
    if not found:
        print("nothing was decided yet: python -m monitoring watch decides")
    return 0


def lines(traced: Traced, criteria_before: str | None = None) -> list[str]:
    """A decision and what followed, as a person reads it; and that the criteria had changed."""
    decided = traced.decision
    when = datetime.fromtimestamp(at_ms(decided) / 1000, UTC)
    called = ", ".join(decided.triggers) or "nothing called for it"
    other = criteria_before not in (None, decided.criteria)
    asked = [] if decided.request_id is None else [f"asked {decided.request_id}"]
    return [
        f"{when:%Y-%m-%d %H:%M}  {decided.market}  {decided.next_step}  ({called})",
        *(f"    alert: {clean(alert)}" for alert in traced.alerts),
        *["    by other criteria than the one before"] * other,
        *(f"    because: {clean(reason)}" for reason in decided.reasons),
        *(f"    then: {clean(step)}" for step in (*asked, *traced.followed)),
    ]
