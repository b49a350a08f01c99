"""Peers are the newest sales of a group, in the order of event time."""

import pytest

from stream_app.core import peers
from stream_app.core.peers import GROUPS_MAX, KEPT_MAX, USED, Peers
from tests.builders import DAY_MS

GROUP = 7


def sold(*days_and_ppm2: tuple[int, float], group: int = GROUP) -> Peers:
    kept = Peers()
    for day, ppm2 in days_and_ppm2:
        peers.insert(kept, group, day * DAY_MS, round(ppm2 * 1e6))
    return kept


def test_the_mean_is_of_the_newest_five() -> None:
    kept = sold((1, 1.0), *[(100 + n, 8.0 + n) for n in range(USED)])

    assert peers.mean(kept, GROUP, 110 * DAY_MS) == pytest.approx(10.0)


def test_what_was_sold_after_the_day_asked_for_is_not_seen() -> None:
    assert peers.mean(sold((5, 8.0), (7, 9.0)), GROUP, 6 * DAY_MS) == 8.0


def test_a_listing_as_late_as_may_be_finds_its_five() -> None:
    early = [(day, 8.0) for day in range(10, 10 + USED)]
    late = [(day, 9.0) for day in range(15, 22)]

    assert peers.mean(sold(*early, *late), GROUP, 14 * DAY_MS) == 8.0


@pytest.mark.parametrize("group", [None, 8], ids=["no street", "another street"])
def test_without_peers_there_is_no_mean(group: int | None) -> None:
    assert peers.mean(sold((5, 8.0)), group, 6 * DAY_MS) is None


def test_the_order_of_arrival_leaves_no_trace() -> None:
    sales = [(3, 8.0), (1, 7.0), (1, 9.0), (2, 8.5)]

    assert sold(*sales) == sold(*reversed(sales)) == sold(*sorted(sales))


def test_what_no_listing_can_ask_for_any_more_is_gone() -> None:
    kept = sold(*[(day * 30, 8.0) for day in range(50)])

    assert len(kept.groups[GROUP]) == USED + 1  # and the newest, which is still open


def test_a_street_that_sells_without_end_is_not_kept_without_end() -> None:
    kept = sold(*[(5, 8.0)] * (KEPT_MAX + 9))

    assert len(kept.groups[GROUP]) == KEPT_MAX


def test_of_too_many_groups_the_one_longest_without_a_sale_goes() -> None:
    kept = Peers()
    for group in range(GROUPS_MAX + 1):
        peers.insert(kept, group, (500 - group if group != 3 else 1) * DAY_MS, 8_000_000)

    assert len(kept.groups) == GROUPS_MAX
    assert 3 not in kept.groups
    assert list(kept.groups) == sorted(kept.groups)


def test_a_group_is_a_street_and_a_type() -> None:
    names = [("a", "3 room"), ("a", "4 room"), ("b", "3 room")]

    assert len({peers.group_of(*each) for each in names}) == 3
