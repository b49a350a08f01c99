"""The ledger's whole life as one table, and the bytes it is kept in."""

import math
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from stream_app.contract.events import AnyEvent, kind_of
from stream_app.contract.models import Policy
from stream_app.contract.rejects import InvariantBroken
from stream_app.core import expiry, labels
from stream_app.core.labels import Entry, LabelState, Served, Verdict
from stream_app.core.pipeline import Desk, entry_key, featurise
from tests.builders import DAY_MS, LISTED_MS, MARKET, correction, erasure, listing, sale, withdrawal
from tests.desk import empty_desk

PENDING, JOINED, CORRECTED = LabelState.PENDING, LabelState.JOINED, LabelState.CORRECTED
WITHDRAWN, ORPHAN = LabelState.WITHDRAWN, LabelState.ORPHAN

AMENDED = listing(revision=1, event_time_ms=LISTED_MS + DAY_MS)
AMENDED_ONCE_SOLD = listing(revision=1, event_time_ms=LISTED_MS + 50 * DAY_MS)
SOLD_TOO_EARLY = sale(event_time_ms=LISTED_MS - 1)
SOLD_AT_ONCE = sale(event_time_ms=LISTED_MS + 1)
SECOND_CORRECTION = correction(revision=2)


DOCUMENT = Path(__file__).parents[4] / "docs" / "ledger.md"
OTHER = {"market": "hdb"}


class Silence(NamedTuple):
    """Elsewhere in the partition time goes on."""

    days: int


FORGOTTEN = Silence(Policy().ledger_days + 30 + 14)  # the events of a case span 30 days


class Case(NamedTuple):
    """Events of one listing in order; what becomes of the last, and where that leaves it."""

    name: str
    events: tuple[AnyEvent | Silence, ...]
    verdict: Verdict
    state: LabelState | None  # None: nothing is kept


CASES = (
    Case("listing", (listing(),), Verdict.SCORED, PENDING),
    Case("listing again", (listing(), listing()), Verdict.DUPLICATE, PENDING),
    Case("another listing", (listing(), listing(event_id="x")), Verdict.CONFLICT, PENDING),
    Case("amended", (listing(), AMENDED), Verdict.SCORED, PENDING),
    Case("amended, then the first", (AMENDED, listing()), Verdict.OUTDATED, PENDING),
    Case("amended once sold", (listing(), sale(), AMENDED_ONCE_SOLD), Verdict.SCORED, JOINED),
    Case("sale", (listing(), sale()), Verdict.JOINED, JOINED),
    Case("sale again", (listing(), sale(), sale()), Verdict.DUPLICATE, JOINED),
    Case("another sale", (listing(), sale(), sale(event_id="x")), Verdict.CONFLICT, JOINED),
    Case("a newer sale", (listing(), sale(), sale(revision=1)), Verdict.CORRECTED, CORRECTED),
    Case("an older sale", (listing(), sale(revision=1), sale()), Verdict.OUTDATED, JOINED),
    Case("sale at the listing", (listing(), sale(event_time_ms=LISTED_MS)), Verdict.JOINED, JOINED),
    Case("sold too early", (listing(), SOLD_TOO_EARLY), Verdict.SOLD_BEFORE_LISTED, PENDING),
    Case("sold before it was amended", (listing(), AMENDED, SOLD_AT_ONCE), Verdict.JOINED, JOINED),
    Case("sold too early again", (listing(), SOLD_TOO_EARLY, sale()), Verdict.JOINED, JOINED),
    Case("sale without listing", (sale(),), Verdict.ORPHAN, ORPHAN),
    Case("orphan again", (sale(), sale()), Verdict.DUPLICATE, ORPHAN),
    Case("another orphan", (sale(), sale(event_id="x")), Verdict.CONFLICT, ORPHAN),
    Case("listing after its sale", (sale(), listing()), Verdict.SCORED, ORPHAN),
    Case("never joined later", (sale(), listing(), sale(revision=1)), Verdict.ORPHAN, ORPHAN),
    Case("correction of an orphan", (sale(), correction()), Verdict.ORPHAN, ORPHAN),
    Case("correction", (listing(), sale(), correction()), Verdict.CORRECTED, CORRECTED),
    Case(
        "corrected again",
        (listing(), sale(), correction(), SECOND_CORRECTION),
        Verdict.CORRECTED,
        CORRECTED,
    ),
    Case(
        "an older correction",
        (listing(), sale(), SECOND_CORRECTION, correction()),
        Verdict.OUTDATED,
        CORRECTED,
    ),
    Case(
        "no newer than its sale",
        (listing(), sale(revision=1), correction()),
        Verdict.OUTDATED,
        JOINED,
    ),
    Case("correction before its sale", (listing(), correction()), Verdict.JOINED, JOINED),
    Case("overtaken sale", (listing(), correction(), sale()), Verdict.OUTDATED, JOINED),
    Case("withdrawal", (listing(), withdrawal()), Verdict.WITHDRAWN, WITHDRAWN),
    Case("withdrawal again", (listing(), withdrawal(), withdrawal()), Verdict.DUPLICATE, WITHDRAWN),
    Case("withdrawal without listing", (withdrawal(),), Verdict.ORPHAN, WITHDRAWN),
    Case("that again", (withdrawal(), withdrawal()), Verdict.DUPLICATE, WITHDRAWN),
    Case("overtaken listing", (withdrawal(), listing()), Verdict.SCORED, WITHDRAWN),
    Case("overtaken, then sold", (withdrawal(), listing(), sale()), Verdict.JOINED, JOINED),
    Case("withdrawn, never listed, sold", (withdrawal(), sale()), Verdict.ORPHAN, ORPHAN),
    Case("withdrawal after sale", (listing(), sale(), withdrawal()), Verdict.OUTDATED, JOINED),
    Case("withdrawal of an orphan", (sale(), withdrawal()), Verdict.OUTDATED, ORPHAN),
    Case("sale after withdrawal", (listing(), withdrawal(), sale()), Verdict.JOINED, JOINED),
    Case("back on the market", (listing(), withdrawal(), AMENDED), Verdict.SCORED, PENDING),
    Case("sale of another market", (listing(), sale(**OTHER)), Verdict.OTHER_MARKET, PENDING),
    Case("listing of another market", (sale(**OTHER), listing()), Verdict.OTHER_MARKET, ORPHAN),
    Case(
        "correction after a year",
        (listing(), sale(), Silence(365), correction()),
        Verdict.CORRECTED,
        CORRECTED,
    ),
    Case("sale after a year", (listing(), Silence(365), sale()), Verdict.JOINED, JOINED),
    Case("never sold", (listing(), FORGOTTEN), Verdict.SCORED, None),
    Case("sale once forgotten", (listing(), FORGOTTEN, sale()), Verdict.ORPHAN, ORPHAN),
    Case(
        "correction once forgotten",
        (listing(), sale(), FORGOTTEN, correction()),
        Verdict.ORPHAN,
        ORPHAN,
    ),
    Case(
        "listing again, once forgotten", (listing(), FORGOTTEN, listing()), Verdict.SCORED, PENDING
    ),
    Case("erasure", (listing(), sale(), erasure()), Verdict.ERASED, None),
    Case("erasure with another market", (listing(), erasure(**OTHER)), Verdict.ERASED, None),
    Case("erasure once forgotten", (listing(), FORGOTTEN, erasure()), Verdict.ERASED, None),
    Case("erasure of nothing", (erasure(),), Verdict.ERASED, None),
    Case("sale after erasure", (listing(), erasure(), sale()), Verdict.ORPHAN, ORPHAN),
    Case("listing after erasure", (listing(), erasure(), listing()), Verdict.SCORED, PENDING),
)


def row_of(case: Case) -> str:
    """The case as it stands in the document."""
    told = ", ".join(
        f"{event.days} days" if isinstance(event, Silence) else kind_of(event)
        for event in case.events
    )
    return f"| {case.name} | {told} | `{case.verdict}` | `{case.state or 'nothing'}` |"


def after(*events: AnyEvent | Silence) -> tuple[Desk, list[Verdict]]:
    """The desk after these events, and what became of each."""
    desk, verdicts = empty_desk(), []
    for event in events:
        if isinstance(event, Silence):
            shelf = desk.shelves[MARKET]
            shelf.ledger.watermark.newest_ms = LISTED_MS + event.days * DAY_MS
            expiry.forget(shelf)
        else:
            verdicts.append(featurise(event, desk).verdict)
    return desk, verdicts


def entry_after(*events: AnyEvent) -> Entry:
    desk, _ = after(*events)
    entry = desk.entries[entry_key(events[0])]
    assert entry is not None
    return entry


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_listing_goes_through_its_states_as_documented(case: Case) -> None:
    desk, verdicts = after(*case.events)

    entry = desk.entries[entry_key(listing())]
    assert verdicts[-1] is case.verdict
    assert (entry.state if entry else None) is case.state


def test_the_document_has_a_row_for_every_case() -> None:
    lines = DOCUMENT.read_text("utf-8").split("\n## ")[0].splitlines()

    rows = [line for line in lines if line.startswith("| ")][1:]

    assert rows == [row_of(case) for case in CASES]


def test_every_verdict_has_a_case() -> None:
    assert {case.verdict for case in CASES} == set(Verdict)


def test_every_state_has_a_case() -> None:
    assert {case.state for case in CASES} == {*LabelState, None}


def test_a_sale_joins_what_was_served_last_before_it() -> None:
    served = entry_after(listing(), AMENDED, sale()).served

    assert served is not None
    assert served.listed_ms == AMENDED.event_time_ms


def test_a_label_stays_with_what_was_served_before_the_sale() -> None:
    served = entry_after(listing(), sale(), AMENDED_ONCE_SOLD).served

    assert served is not None
    assert served.listed_ms == LISTED_MS


def test_a_listing_after_its_sale_is_never_kept_for_a_label() -> None:
    assert entry_after(sale(), listing()).served is None


def test_an_outdated_listing_does_not_become_the_newest_prediction() -> None:
    newest = labels.newest(entry_after(AMENDED))

    assert labels.newest(entry_after(AMENDED, listing())) == newest


def test_a_conflict_leaves_the_first_event_id() -> None:
    assert entry_after(listing(), listing(event_id="x")).event_ids == {
        "listing:0": listing().event_id
    }


def test_a_sale_refused_for_its_time_may_be_sent_again_mended() -> None:
    early = sale(event_time_ms=LISTED_MS - 1, event_id="first try")

    assert "sale:0" not in entry_after(listing(), early).event_ids


def test_an_entry_thaws_to_what_was_frozen() -> None:
    entry = entry_after(listing(), sale())

    assert labels.freeze(labels.thaw(labels.freeze(entry))) == labels.freeze(entry)


def test_what_is_unknown_is_still_unknown_when_thawed() -> None:
    served = Served("p", LISTED_MS, False, 110.0, "house", (math.nan, 1.0))

    thawed = labels.thaw(labels.freeze(Entry(PENDING, MARKET, served=served))).served

    assert thawed is not None
    assert math.isnan(thawed.features[0])


def test_two_entries_do_not_share_their_event_ids() -> None:
    assert Entry(PENDING, MARKET).event_ids is not Entry(PENDING, MARKET).event_ids


@pytest.mark.parametrize(
    "frozen",
    [b"", b"\xc1", msgspec.msgpack.encode(["unheard of"]), b"\x91\xa2\xff\xfe"],
    ids=["nothing", "no msgpack", "no such state", "bad UTF-8"],
)
def test_bytes_that_are_no_entry_are_refused(frozen: bytes) -> None:
    with pytest.raises(InvariantBroken, match=f"ledger record of {len(frozen)} bytes"):
        labels.thaw(frozen)
