"""What is silent goes, page by page; the laws are in tests/laws/test_expiry.py."""

from collections import defaultdict

import pytest

from stream_app.contract.models import Policy
from stream_app.contract.rejects import InvariantBroken
from stream_app.core import expiry
from stream_app.core.expiry import PAGE_KEYS, WEEK_MS, Ledger, Shelf
from stream_app.core.labels import Entry, LabelState
from tests.builders import MARKET

WEEKS = 10


def shelf_with(homes: int) -> Shelf:
    """A shelf on which so many homes were put in week 0."""
    entries: defaultdict[str, Entry | None] = defaultdict(lambda: None)
    shelf = Shelf(MARKET, Ledger(), Policy(ledger_days=7 * WEEKS), entries, defaultdict(list))
    for number in range(homes):
        hear_of(shelf, f"home-{number}", 0)
    return shelf


def hear_of(shelf: Shelf, key: str, week: int) -> None:
    before = shelf.entries[key]
    entry = shelf.entries[key] = before or Entry(LabelState.PENDING, MARKET)
    expiry.touch(shelf, key, entry, None if before is None else before.state, week * WEEK_MS)


def forget_in(shelf: Shelf, week: int) -> set[str]:
    """Forget one page in that week; name who is still there."""
    shelf.ledger.watermark.newest_ms = week * WEEK_MS
    expiry.forget(shelf)
    return {key for key, entry in shelf.entries.items() if entry is not None}


def test_nobody_goes_before_the_time() -> None:
    assert len(forget_in(shelf_with(2), WEEKS)) == 2


def test_who_was_heard_of_again_is_filed_anew() -> None:
    shelf = shelf_with(2)
    hear_of(shelf, "home-1", 5)

    assert forget_in(shelf, WEEKS + 1) == {"home-1"}
    assert [filed.week for filed in shelf.ledger.filed] == [WEEKS + 5]


def test_one_page_goes_at_a_time() -> None:
    assert len(forget_in(shelf_with(PAGE_KEYS + 1), WEEKS + 1)) == 1


def test_a_key_on_a_page_and_nowhere_else_is_a_fault_of_ours() -> None:
    shelf = shelf_with(1)
    shelf.entries["home-0"] = None

    with pytest.raises(InvariantBroken, match="'home-0' is on a page and nowhere else"):
        forget_in(shelf, WEEKS + 1)
