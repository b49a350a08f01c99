"""Whatever the order in which prices of a sale come, the one of the highest revision stands."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract.events import Correction, Sale
from stream_app.core import labels
from stream_app.core.labels import Entry, LabelState, Served, Verdict
from tests.builders import LISTED_MS, correction, listing, sale
from tests.laws.law import LAW, PLANTED

Label = Callable[[Entry, Sale | Correction], tuple[Entry, Verdict]]

PRICES: list[Sale | Correction] = [sale(), *(correction(revision=n) for n in range(1, 5))]


def listed() -> Entry:
    home = listing()
    served = Served("p-1", LISTED_MS, False, home.area_m2, home.property_type, ())
    entry, _ = labels.list_(None, home, served)
    return entry


def check_law(label: Label, how: settings = LAW) -> None:
    @how
    @given(st.lists(st.sampled_from(PRICES), min_size=1, unique_by=lambda event: event.revision))
    def highest_revision_stands(events: list[Sale | Correction]) -> None:
        entry, published = listed(), []
        for event in events:
            entry, verdict = label(entry, event)
            if verdict in (Verdict.JOINED, Verdict.CORRECTED):
                published.append((event.revision, verdict))
        revisions = [revision for revision, _ in published]

        assert revisions == sorted(set(revisions))
        assert revisions[-1] == max(event.revision for event in events)
        assert [v for _, v in published].count(Verdict.JOINED) == 1
        assert published[0][1] is Verdict.JOINED
        assert (entry.state is LabelState.JOINED) is (len(published) == 1)

    highest_revision_stands()


def newest_arrival_wins(entry: Entry, event: Sale | Correction) -> tuple[Entry, Verdict]:
    """Planted: believes what came last."""
    if entry.rank >= 0:
        entry.rank, entry.state = event.revision, LabelState.CORRECTED
        return entry, Verdict.CORRECTED
    return labels.label(entry, event)


def only_a_sale_joins(entry: Entry, event: Sale | Correction) -> tuple[Entry, Verdict]:
    """Planted: a correction that overtakes its sale is lost."""
    if isinstance(event, Correction) and entry.rank < 0:
        return entry, Verdict.ORPHAN
    return labels.label(entry, event)


def sale_joins_again(entry: Entry, event: Sale | Correction) -> tuple[Entry, Verdict]:
    """Planted: a sale is always joined, also after its correction."""
    entry, verdict = labels.label(entry, event)
    return entry, Verdict.JOINED if isinstance(event, Sale) else verdict


def test_the_highest_revision_stands() -> None:
    check_law(labels.label)


@pytest.mark.parametrize("planted", [newest_arrival_wins, only_a_sale_joins, sale_joins_again])
def test_the_law_of_the_ledger_catches(planted: Label) -> None:
    with pytest.raises((AssertionError, IndexError)):
        check_law(planted, PLANTED)
