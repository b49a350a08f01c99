"""The ledger forgets nothing too early, everything in time, and leaves no trace of it."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract.models import Policy
from stream_app.contract.rejects import InvariantBroken
from stream_app.core import expiry
from stream_app.core.expiry import PAGE_KEYS, WEEK_MS, Ledger, Shelf
from stream_app.core.labels import Entry, LabelState
from stream_app.core.watermark import Watermark, follow
from tests.builders import DAY_MS, HOUR_MS, LISTED_MS, MARKET
from tests.laws.law import PLANTED, UNSHRUNK

DAYS = 60
LONGEST_MS = DAYS * DAY_MS + 2 * WEEK_MS


class Keeping(NamedTuple):
    """What expiry does, or a planted version of it."""

    touch: Callable[[Shelf, str, Entry, str | None, int], None] = expiry.touch
    erase: Callable[[Shelf, str, Entry], None] = expiry.erase
    forget: Callable[[Shelf], None] = expiry.forget


class Heard(NamedTuple):
    """Something is heard of a home, of a new one as a rule."""

    after_h: int
    late_h: int
    home: int | None  # None: a new one
    erased: bool


def stream_of(seed: int) -> list[Heard]:
    draw = random.Random(seed)
    return [
        Heard(
            after_h=draw.choice([0, 1, 5, 12, 24, 24, 400]),
            late_h=draw.choice([0, 0, 30, 2_000]),
            home=draw.choice([None, None, draw.randrange(250)]),
            erased=draw.random() < 0.1,
        )
        for _ in range(300)
    ]


# Drawn by a seed: streams must be long, and hypothesis is slow at that.
STREAMS = st.integers(0, 10**6).map(stream_of)


def a_shelf(entries_max: int) -> Shelf:
    policy = Policy(ledger_days=DAYS, ledger_entries=entries_max)
    ledger = Ledger(watermark=Watermark(LISTED_MS))
    return Shelf(MARKET, ledger, policy, defaultdict(lambda: None), defaultdict(list))


class Ledgers:
    """The shelf, and what is remembered of it by brute force."""

    def __init__(self, keeping: Keeping, entries_max: int) -> None:
        self.keeping = keeping
        self.shelf = a_shelf(entries_max)
        self.heard_ms: dict[str, int] = {}  # of those that should be there, or were too many
        self.now_ms = LISTED_MS
        self.homes = 0

    def take(self, heard: Heard) -> None:
        self.now_ms += heard.after_h * HOUR_MS
        at_ms = self.now_ms - heard.late_h * HOUR_MS
        follow(self.shelf.ledger.watermark, "the only one", at_ms)
        key = f"home-{self.homes if heard.home is None else heard.home}"
        self.homes += heard.home is None
        entry = self.shelf.entries[key]
        if heard.erased:
            if entry is not None:
                self.keeping.erase(self.shelf, key, entry)
                del self.heard_ms[key]
            return
        before = None if entry is None else entry.state
        entry = entry or Entry(LabelState.PENDING, MARKET)
        entry.state = LabelState.PENDING if before is None else LabelState.JOINED
        self.shelf.entries[key] = entry
        known_ms = self.heard_ms.get(key, 0)
        self.heard_ms[key] = max(known_ms, at_ms, self.shelf.ledger.watermark.newest_ms)
        self.keeping.touch(self.shelf, key, entry, before, at_ms)
        self.keeping.forget(self.shelf)

    def live(self) -> dict[str, Entry]:
        return {key: entry for key, entry in self.shelf.entries.items() if entry is not None}

    def check_books(self) -> None:
        """Every entry is on its page, and on no other; counts are those of the entries."""
        live, ledger = self.live(), self.shelf.ledger
        paged = Counter(key for keys in self.shelf.pages.values() for key in keys)
        assert paged == Counter(live.keys())
        for key, entry in live.items():
            name = expiry.page_key(MARKET, entry.filed_week, entry.page)
            assert key in self.shelf.pages[name]
        assert all(len(keys) <= PAGE_KEYS for keys in self.shelf.pages.values())
        states = Counter(entry.state.value for entry in live.values())
        assert +Counter(ledger.entries) == states


def check_age(keeping: Keeping, how: settings = UNSHRUNK) -> None:
    @how
    @given(STREAMS)
    def forgotten_in_time_and_not_before(stream: list[Heard]) -> None:
        ledgers = Ledgers(keeping, entries_max=10_000)
        for heard in stream:
            ledgers.take(heard)
            now_ms = ledgers.shelf.ledger.watermark.newest_ms
            gone = [key for key in ledgers.heard_ms if ledgers.shelf.entries[key] is None]
            for key in gone:
                assert now_ms - ledgers.heard_ms.pop(key) >= DAYS * DAY_MS
        ledgers.check_books()
        for _ in range(len(stream)):  # as many events as may be due pages
            ledgers.keeping.forget(ledgers.shelf)
            if not ledgers.shelf.ledger.filed:
                break
        assert all(now_ms - ledgers.heard_ms[key] <= LONGEST_MS for key in ledgers.live())
        ledgers.check_books()

    forgotten_in_time_and_not_before()


def check_count(keeping: Keeping, how: settings = UNSHRUNK) -> None:
    @how
    @given(STREAMS, st.sampled_from([1, 30, 100]))
    def never_too_many(stream: list[Heard], entries_max: int) -> None:
        ledgers = Ledgers(keeping, entries_max)
        for heard in stream:
            ledgers.take(heard._replace(erased=False))
            assert len(ledgers.live()) <= entries_max
        ledgers.check_books()

    never_too_many()


def check_vanishes(keeping: Keeping, how: settings = UNSHRUNK) -> None:
    @how
    @given(STREAMS)
    def nothing_is_left(stream: list[Heard]) -> None:
        ledgers = Ledgers(keeping, entries_max=10_000)
        for heard in stream:
            ledgers.take(heard)
        ledgers.shelf.ledger.watermark.newest_ms = ledgers.now_ms + LONGEST_MS
        for _ in stream:  # as many as there may be pages
            if ledgers.shelf.ledger.filed:
                ledgers.keeping.forget(ledgers.shelf)

        assert ledgers.live() == {}
        assert not any(ledgers.shelf.pages.values())
        assert not any(ledgers.shelf.ledger.entries.values())

    nothing_is_left()


def touch_once(shelf: Shelf, key: str, entry: Entry, before: str | None, at_ms: int) -> None:
    """Planted: age counts from the first event."""
    week = entry.touched_week
    expiry.touch(shelf, key, entry, before, at_ms)
    entry.touched_week = week if before else entry.touched_week


def touch_as_told(shelf: Shelf, key: str, entry: Entry, before: str | None, at_ms: int) -> None:
    """Planted: what comes very late is as old as it says, and gone at once."""
    expiry.touch(shelf, key, entry, before, at_ms)
    entry.touched_week = at_ms // WEEK_MS


def erase_entry_only(shelf: Shelf, key: str, entry: Entry) -> None:
    """Planted: the page keeps the key."""
    expiry.erase(shelf, key, entry)
    shelf.pages[expiry.page_key(MARKET, entry.filed_week, entry.page)].append(key)


def forget_never(shelf: Shelf) -> None:
    """Planted: nothing is ever forgotten (as it once was)."""


def forget_by_age_only(shelf: Shelf) -> None:
    """Planted: as many as come."""
    expiry.forget(shelf._replace(policy=Policy(ledger_days=DAYS)))


def forget_what_was_heard_of_again(shelf: Shelf) -> None:
    """Planted: what is not due yet leaves its page, and is filed nowhere."""
    places = {key: (e.filed_week, e.page) for key, e in shelf.entries.items() if e is not None}
    expiry.forget(shelf)
    for key, entry in shelf.entries.items():
        if entry is not None and places[key] != (entry.filed_week, entry.page):
            shelf.pages[expiry.page_key(MARKET, entry.filed_week, entry.page)].remove(key)


def test_nothing_is_forgotten_too_early_or_too_late() -> None:
    check_age(Keeping())


@pytest.mark.parametrize(
    "planted",
    [
        Keeping(touch=touch_once),
        Keeping(touch=touch_as_told),
        Keeping(erase=erase_entry_only),
        Keeping(forget=forget_never),
        Keeping(forget=forget_what_was_heard_of_again),
    ],
    ids=lambda planted: next(f.__name__ for f in planted if f.__module__ == __name__),
)
def test_the_law_of_age_catches(planted: Keeping) -> None:
    with pytest.raises((AssertionError, InvariantBroken, ValueError)):
        check_age(planted, PLANTED)


def test_there_are_never_too_many_entries() -> None:
    check_count(Keeping())


@pytest.mark.parametrize("planted", [forget_never, forget_by_age_only])
def test_the_law_of_count_catches(planted: Callable[[Shelf], None]) -> None:
    with pytest.raises(AssertionError):
        check_count(Keeping(forget=planted), PLANTED)


def test_pages_vanish_with_what_was_on_them() -> None:
    check_vanishes(Keeping())


@pytest.mark.parametrize(
    "planted",
    [Keeping(erase=erase_entry_only), Keeping(forget=forget_what_was_heard_of_again)],
    ids=["erase", "forget"],
)
def test_the_law_of_vanishing_catches(planted: Keeping) -> None:
    with pytest.raises((AssertionError, InvariantBroken, ValueError)):
        check_vanishes(planted, PLANTED)


def test_each_event_takes_one_page_of_a_full_week_the_first_one_first() -> None:
    shelf = a_shelf(entries_max=10_000)
    for number in range(3 * PAGE_KEYS - 10):
        entry = shelf.entries[f"home-{number}"] = Entry(LabelState.PENDING, MARKET)
        expiry.touch(shelf, f"home-{number}", entry, None, LISTED_MS)
    shelf.ledger.watermark.newest_ms += LONGEST_MS

    left = []
    while shelf.ledger.filed:
        expiry.forget(shelf)
        live = [key for key, entry in shelf.entries.items() if entry is not None]
        left.append((len(live), live[:1]))

    assert left == [
        (2 * PAGE_KEYS - 10, [f"home-{PAGE_KEYS}"]),
        (PAGE_KEYS - 10, [f"home-{2 * PAGE_KEYS}"]),
        (0, []),
    ]
    assert shelf.ledger.expired == {"pending": 3 * PAGE_KEYS - 10}
