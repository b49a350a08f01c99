"""`python -m monitoring ab`: what an A/B test came to, or what it still lacks."""

import argparse
from pathlib import Path

import msgspec
from msgspec import Struct

from monitoring import ab_rows, ab_verdict, criteria
from monitoring.ab_rows import Tested
from monitoring.ab_verdict import Difference, State, Verdict
from monitoring.archive_command import existing
from monitoring.criteria import Criteria
from monitoring.frames import Market
from monitoring.settings import MonitoringSettings
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import BadSettings, KafkaSettings

_WORDS = {
    State.RUNNING: "labels are missing; no error is told before there are enough",
    State.DEAL_BROKEN: "the arms are not in the share that was set: nothing here can be trusted",
    State.CHALLENGER_BETTER: "the challenger is nearer",
    State.CHAMPION_BETTER: "the champion is nearer",
    State.NO_DIFFERENCE: "no difference of the size sought",
}


class Told(Struct, frozen=True, kw_only=True):
    """A test and its verdict."""

    market: str
    champion: str | None
    challenger: str
    share: float
    runs: bool
    young: int  # listings that are not mature yet
    verdict: Verdict


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    ab = commands.add_parser(
        "ab",
        help="the verdict on an A/B test of two champions, when there are labels enough",
        description="From the archive, the A/B test that was begun last (`python -m offline rollout"
        " --mode ab` begins one): mean |log error| of the answers of both arms, of listings that"
        " were followed for ab_mature_days. There is one look: at the first labels that come to"
        " the number that was worked out before. Thresholds: ab_* of monitoring/policy.toml,"
        " or of the setting policy_file.",
        epilog="Exit status: 0, also while labels are missing; 2 no archive or no test.",
    )
    ab.add_argument("--market", required=True, choices=sorted(MARKETS))
    ab.add_argument("--dir", type=Path, help="archive folder (setting archive_dir)")
    ab.add_argument("--json", action="store_true", help="print one line of JSON")
    ab.set_defaults(run=_run)


def _run(given: argparse.Namespace, kafka: KafkaSettings, own: MonitoringSettings) -> int:
    root = existing(given.dir or Path(own.archive_dir))
    market = Market(root, kafka.prefix, given.market)
    tested = ab_rows.newest_test(ab_rows.activations(market))
    if tested is None:
        raise BadSettings(
            f"{given.market}: no A/B test is in the archive;"
            f" `python -m offline rollout --market {given.market} --mode ab` begins one"
        )
    told = tell(market, tested, criteria.chosen(own.policy_file))
    print(msgspec.json.encode(told).decode() if given.json else "\n".join(lines(told)))
    return 0


def tell(market: Market, tested: Tested, limits: Criteria) -> Told:
    """Judge a test by what is archived."""
    known = ab_rows.known(market, tested, limits.ab_mature_days)
    needed = ab_verdict.labels_needed(ab_verdict.spread_of(known.errors_before), limits)
    return Told(
        market=market.name,
        champion=tested.test.champion,
        challenger=tested.test.challenger,
        share=tested.test.share,
        runs=tested.runs,
        young=known.young,
        verdict=ab_verdict.judge(known.enrolled, tested.test.share, needed, limits),
    )


def lines(told: Told) -> list[str]:
    """A verdict as a person reads it."""
    verdict = told.verdict
    over = "" if told.runs else ", which has ended"
    share = f"{told.share:.0%} of listings{over}"
    of_champion, of_challenger = verdict.labels
    found = {
        "test": f"{told.market}: {told.challenger} against {told.champion}, {share}",
        "verdict": _WORDS[verdict.state],
        "labels": f"{of_champion:,} of the champion, {of_challenger:,} of the challenger;"
        f" {verdict.labels_needed:,} of each are needed",
        "listings": f"{verdict.listings[0]:,} and {verdict.listings[1]:,} mature,"
        f" {told.young:,} too young",
    }
    if verdict.deal_p is not None:
        found["listings"] += f"; a deal as far from its share: p = {verdict.deal_p:.3f}"
    if verdict.difference is not None:
        found["error"] = _difference(verdict.difference)
    return [f"{name:9} {words}" for name, words in found.items()]


def _difference(found: Difference) -> str:
    interval = f"{found.relative_low:+.1%} to {found.relative_high:+.1%}"
    return (
        f"{found.champion_error_log:.4f} and {found.challenger_error_log:.4f}:"
        f" {found.relative:+.1%} ({interval}, p = {found.p_value:.3f})"
    )
