"""A feature row is complete, and each value is a finite number or unknown."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract import rules
from stream_app.contract.events import AnyEvent, Listing
from stream_app.core.features import NAMES
from stream_app.core.pipeline import featurise
from tests.desk import empty_desk
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.test_no_poison import EVENTS

Row = tuple[float, ...]
Served = Callable[[Listing, Row], Row]  # what is handed on of a listing and its row


def as_it_is(listing: Listing, row: Row) -> Row:
    return row


def check_law(handed_on: Served, how: settings = UNSHRUNK) -> None:
    @how
    @given(st.lists(EVENTS, min_size=4, max_size=16))
    def rows_are_finite_and_complete(events: list[AnyEvent]) -> None:
        desk = empty_desk()
        for event in events:
            if rules.violation(event) is not None:
                continue
            served = featurise(event, desk).served
            if not isinstance(event, Listing) or served is None:
                continue
            row = handed_on(event, served.features)
            assert len(row) == len(NAMES)
            for name, value in zip(NAMES, row, strict=True):
                assert not math.isinf(value), name

    rows_are_finite_and_complete()


def divides_by_the_land(listing: Listing, row: Row) -> Row:
    """Planted: the smallest of areas is allowed, and its inverse is infinite."""
    return (1 / listing.lot_m2 if listing.lot_m2 else row[0], *row[1:])


def leaves_out_the_unknown(listing: Listing, row: Row) -> Row:
    """Planted: a shorter row where something is not known."""
    return tuple(value for value in row if not math.isnan(value))


def test_rows_are_finite_and_complete() -> None:
    check_law(as_it_is)


@pytest.mark.parametrize("planted", [divides_by_the_land, leaves_out_the_unknown])
def test_the_law_of_rows_catches(planted: Served) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, PLANTED)
