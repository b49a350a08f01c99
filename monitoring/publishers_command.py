"""`python -m monitoring publishers`: the scorecard of who sends, from the archive."""

import argparse
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
from pyarrow import Table

from monitoring.alerting import book as books
from monitoring.alerting.book import Book
from monitoring.alerting.gathering import newest_first
from monitoring.alerting.notices import clean
from monitoring.archive_command import existing
from monitoring.scorecard import Card, Scorecard
from monitoring.settings import MonitoringSettings
from monitoring.whole import whole
from monitoring.windows import day
from stream_app.contract import wire
from stream_app.contract.alerts import DOUBTED
from stream_app.contract.counts import counted
from stream_app.contract.settings import BadSettings, KafkaSettings
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import ALERTS, EVENTS, PREDICTIONS, REJECTS, Topic, full_name

DAYS = 30
DAYS_MAX = 3_650
WORST = 3  # codes that are shown


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    publishers = commands.add_parser(
        "publishers",
        help="how well each publisher sends",
        description="From the archive, for each publisher of the newest days: events accepted,"
        " refused by code, repeated; listings priced, repaired, late; how its clock stands; what it"
        " is doubted for now. A name is what events say: nothing proves it. Of bytes that cannot"
        " be read the publisher is `unknown`.",
        epilog="Exit status: 0; 2 no archive, or no such publisher in the window.",
    )
    publishers.add_argument("name", nargs="?", metavar="NAME", help="one publisher, in full")
    publishers.add_argument(
        "--days",
        type=whole(1, DAYS_MAX),
        default=DAYS,
        metavar="N",
        help=f"before the newest archived event; default {DAYS}",
    )
    publishers.add_argument("--dir", type=Path, help="archive folder (setting archive_dir)")
    publishers.add_argument("--json", action="store_true", help="print one line of JSON")
    publishers.set_defaults(run=run)


def run(given: argparse.Namespace, kafka: KafkaSettings, own: MonitoringSettings) -> int:
    """Read the archive, show the cards."""
    root = existing(given.dir or Path(own.archive_dir))
    cards = gathered(root, kafka.prefix, given.days)
    if given.name is not None:
        if given.name not in cards:
            known = ", ".join(sorted(map(clean, cards))[:10]) or "nobody"
            raise BadSettings(
                f"no event of publisher {given.name!r} in {counted(given.days, 'day')};"
                f" there are: {known}"
            )
        cards = {given.name: cards[given.name]}
    if given.json:
        rows = [msgspec.to_builtins(card) | {"accepted": card.accepted} for card in cards.values()]
        print(msgspec.json.encode({"days": given.days, "publishers": rows}).decode())
    elif given.name is not None:
        _show_one(cards[given.name])
    else:
        _show(cards)
    return 0


def gathered(root: Path, prefix: str, days: int) -> Mapping[str, Card]:
    """The cards of the newest days, who sent most first."""
    events = full_name(prefix, EVENTS)
    newest = next(newest_first(root, events), None)
    since_ms = 0 if newest is None else newest.made_ms - days * DAY_MS
    score = Scorecard()
    for (headers,) in _rows(root, prefix, REJECTS, since_ms, ("headers",)):
        said = {header["name"]: _text(header["value"]) for header in headers or ()}
        place = said.get("source_partition", ""), said.get("source_offset", "")
        score.take_reject(*place, said.get("code", "unknown"))
    for row in _rows(
        root, prefix, EVENTS, since_ms, ("partition", "offset", "appended_ms", "value")
    ):
        score.take_event(*row)
    places = ("source_partition", "source_offset", "quality_reasons")
    for row in _rows(root, prefix, PREDICTIONS, since_ms, places):
        score.take_prediction(*row)
    book = _book(root, prefix)
    for card in score.cards.values():
        card.doubts = doubts_of(book, card.publisher)
    return {
        card.publisher: card for card in sorted(score.cards.values(), key=lambda card: -card.events)
    }


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def doubts_of(book: Book, publisher: str) -> tuple[str, ...]:
    """Open causes that name it: of scorers by the name alone, of detectors with a field."""
    named = f"publisher={publisher}"
    found = []
    for entry in book.values():
        cause, segment = entry.alert.cause, entry.alert.segment or ""
        by_scorer = cause.startswith(DOUBTED) and segment == publisher
        if entry.open and (by_scorer or segment == named or segment.startswith(f"{named} ")):
            where = "" if by_scorer else segment.removeprefix(named)
            found.append(f"{cause}{where}")
    return tuple(found)


def _book(root: Path, prefix: str) -> Book:
    book: Book = {}
    for _, _, value in sorted(_rows(root, prefix, ALERTS, 0, ("appended_ms", "offset", "value"))):
        try:
            books.take(book, wire.decode_alert_message(value))
        except msgspec.MsgspecError:
            continue  # a newer program's
    return book


def _rows(
    root: Path, prefix: str, topic: Topic, since_ms: int, columns: tuple[str, ...]
) -> Iterator[tuple[Any, ...]]:
    """Rows taken since; tombstones are left out."""
    manifests = newest_first(root, full_name(prefix, topic))
    for manifest in takewhile(lambda each: each.made_ms >= since_ms, manifests):
        for file in manifest.files:
            table: Table = pq.read_table(root / file.path)
            if set(columns) <= set(table.column_names):
                values = [table[name].to_pylist() for name in (*columns, "appended_ms")]
                for *row, appended_ms in zip(*values, strict=True):
                    if appended_ms >= since_ms and None not in row:
                        yield tuple(row)


def _show(cards: Mapping[str, Card]) -> None:
    """A line of figures each, and what is wrong below it."""
    print(
        f"{'events':>9} {'accepted':>9} {'refused':>9} {'repeated':>9} {'late':>7}  publisher, clock"
    )
    for card in cards.values():
        refused = sum(card.rejected.values())
        counts = (card.events, card.accepted, refused, card.duplicates)
        figures = " ".join(f"{count:>9,}" for count in counts)
        print(f"{figures} {card.late:>7,}  {clean(card.publisher) or '(others)'}, {_clock(card)}")
        worst = sorted(card.rejected.items(), key=lambda item: -item[1])[:WORST]
        codes = ", ".join(f"{clean(code)} {count:,}" for code, count in worst)
        for said, what in (("refused", codes), ("doubted", clean("; ".join(card.doubts)))):
            if what:
                print(f"{'':>48}{said} for {what}")
    if not cards:
        print("no events in this window")


def _show_one(card: Card) -> None:
    window = "unknown"
    if card.from_ms is not None and card.to_ms is not None:
        window = f"{day(card.from_ms)} to {day(card.to_ms)}"
    kinds = ", ".join(f"{clean(kind)} {count:,}" for kind, count in sorted(card.kinds.items()))
    lines = [
        (clean(card.publisher), f"{counted(card.events, 'event')}, {window}: {kinds}"),
        ("accepted", f"{card.accepted:,}"),
        *((f"refused: {clean(code)}", f"{n:,}") for code, n in sorted(card.rejected.items())),
        ("repeated", f"{card.duplicates:,}"),
        ("priced", counted(card.priced, "listing")),
        ("of them late", f"{card.late:,}"),
        ("of them repaired", f"{card.repaired:,}"),
        ("of them while doubted", f"{card.doubted:,}"),
        ("clock", _clock(card)),
        ("doubted for", clean("; ".join(card.doubts)) or "nothing"),
    ]
    for name, said in lines:
        print(f"{name:24} {said}")


def _clock(card: Card) -> str:
    if card.least_lag_ms is None:
        return "clock unknown"
    if card.least_lag_ms < 0:
        return f"ahead by {-card.least_lag_ms / 1000:,.1f} s"
    return f"behind by {card.least_lag_ms / 1000:,.1f} s at most"
