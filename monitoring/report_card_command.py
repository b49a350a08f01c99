"""`python -m monitoring report-card`: the card as a table or JSON. Its options: report_card_options.py."""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from monitoring import report_card, report_card_events, report_card_real, report_card_volume
from monitoring.detectors.finding import Event, Labelled
from monitoring.heads import head_of
from monitoring.report_card import Power, Quiet
from monitoring.report_card_real import Real
from monitoring.windows import Window, parse
from stream_app.contract import wire
from stream_app.contract.counts import counted
from stream_app.contract.settings import BadSettings

DAYS_MIN = 30  # fewer give every stream the same weeks


class Card(Struct, frozen=True, kw_only=True):
    """The whole card."""

    market: str
    days: int
    labels: int
    seed: int
    quiet: list[Quiet]
    power: list[Power]
    event_false_alarms: dict[str, int] = {}  # by watch, of `events`
    events: int | None = None


def run(given: argparse.Namespace) -> int:
    """Make the card, or tell what the alarms said of real days."""
    if given.real is None:
        return _card(given)
    rows = list(_labelled(given.outcomes, None))
    if not rows:
        raise BadSettings(f"{given.outcomes}: no sale that was answered")
    rows.sort(key=lambda row: row.sold_ms)
    found = report_card_real.told(rows, parse(given.real))
    if given.json:
        print(msgspec.json.encode(found).decode())
    else:
        _show_real(found)
    return 0


def _card(given: argparse.Namespace) -> int:
    rows = list(_labelled(given.outcomes, parse(given.quiet) if given.quiet else None))
    days = report_card.by_day(rows)
    if len(days) < DAYS_MIN:
        raise BadSettings(f"{given.outcomes}: sales of {len(days)} days, {DAYS_MIN} are needed")
    events = None if given.events is None else list(_events(given.events))
    print(f"{len(rows):,} labels of {len(days)} days: drawing streams", file=sys.stderr)
    card = Card(
        market=rows[0].market,
        days=len(days),
        labels=len(rows),
        seed=given.seed,
        quiet=[
            *report_card.quiet(days, given.streams, given.seed),
            report_card_volume.quiet(days, given.streams, given.seed),
        ],
        power=[
            *report_card.power(days, given.streams, given.seed),
            *report_card_volume.power(days, given.streams, given.seed),
        ],
    )
    if events is not None:
        power = report_card_events.power(events, report_card_events.troubles())
        card = replace(
            card,
            power=card.power + power,
            event_false_alarms=report_card_events.false_alarms(events),
            events=len(events),
        )
    if given.json:
        print(msgspec.json.encode(card).decode())
    else:
        _show(card)
    return 0


def _labelled(path: Path, window: Window | None) -> Iterator[Labelled]:
    for number, line in _lines(path):
        try:
            outcome = wire.decode_outcome(line)
        except msgspec.MsgspecError as error:
            raise BadSettings(f"{path}: line {number}: {error}") from None
        inside = window is None or window.from_ms <= outcome.sold_ms < window.to_ms
        if inside and outcome.price is not None and not outcome.corrects:
            error_log = math.log(outcome.sale_price / outcome.price)
            yield Labelled(
                outcome.market, outcome.region, outcome.sold_ms, error_log, outcome.property_type
            )


def _events(path: Path) -> Iterator[Event]:
    for number, line in _lines(path):
        head = head_of(line)
        if head.market is None or head.event_time_ms is None:
            raise BadSettings(f"{path}: line {number}: no event")
        fields = msgspec.json.decode(line, type=dict[str, object])
        yield Event(head.market, str(fields.get("source")), head.event_time_ms, fields)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as opened:
            yield from enumerate(opened, start=1)
    except OSError as error:
        raise BadSettings(f"{path}: {error.strerror}") from None


def _show(card: Card) -> None:
    console = Console()
    quiet = Table("alarm", "false alarms in 30 quiet days", title=f"{card.market}: quiet")
    for each in card.quiet:
        quiet.add_row(each.alarm, f"{each.per_30_days:,.2f}")
    power = Table("planted", "alarm", "found", "delay: median", "most", title="planted")
    for one in card.power:
        found = f"{one.found} of {one.streams}"
        delays = ("-" if d is None else f"{d:,.0f}" for d in (one.delay_median, one.delay_most))
        power.add_row(one.plant, one.alarm, found, *delays)
    console.print(quiet)
    console.print(power)
    for name, count in card.event_false_alarms.items():
        console.print(f"{name}: {count} false of {card.events:,} events")


def _show_real(found: Real) -> None:
    console = Console()
    months = Table(
        "month", "labels", "mean |log error|", "bias", title=f"{found.market}: as it was"
    )
    for month in found.months:
        months.add_row(
            month.month, f"{month.labels:,}", f"{month.error_log:.3f}", f"{month.bias_log:+.3f}"
        )
    console.print(months)
    for one in found.told:
        console.print(f"{one.day}  {one.alarm}: {one.words}", markup=False, highlight=False)
    console.print(counted(len(found.told), "alarm"))
