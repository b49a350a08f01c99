"""A difference says what changes for whom, and which of the two was nearer to the sale."""

import math

import pytest

from offline import difference_page, page, replay
from offline.difference import Comparison, Difference, Segment
from offline.replay import Change, Way
from tests import served_log
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion


@pytest.fixture(scope="module")
def found() -> Difference:
    """From the last sixth on, the second champion against one that says 10 % more."""
    log = served_log.served_log()
    way = Way(MARKET, log.partitions(), log.lineups())
    dearer = FakeChampion("dearer", served_log.SECOND.level + math.log(1.1))
    comparison = Comparison(MARKET)
    for each in replay.replay(
        log.partitions(),
        way,
        [Change(served_log.SECOND), Change(dearer)],
        begins=lambda placed: placed.partition == 0 and placed.line.record.offset >= 330,
    ):
        comparison.take(each.chunk, *each.outputs)
    return comparison.difference("v2", "dearer")


def of(found: Difference, by: str) -> list[Segment]:
    return [segment for segment in found.segments if segment.by == by]


def test_each_segment_says_by_how_much_the_price_changes(found: Difference) -> None:
    assert found.overall is not None
    assert 0.05 < found.overall.median_change < 0.11  # less as the corrector learns of it
    assert found.overall.listings == found.listings
    assert [s.name for s in of(found, "region")] == ["kc-0", "kc-1", "kc-2"]
    assert [s.name for s in of(found, "type")] == ["house"]


def test_each_split_holds_every_listing_once(found: Difference) -> None:
    for by in ("region", "type", "price before"):
        assert sum(s.listings for s in of(found, by)) == found.listings


def test_the_share_that_moved_counts_both_directions(found: Difference) -> None:
    assert found.overall is not None
    assert found.overall.moved > 0.5


def test_the_greatest_changes_come_first_with_their_listings(found: Difference) -> None:
    changes = [abs(each.change) for each in found.worst]

    assert changes == sorted(changes, reverse=True)
    assert all(each.listing_id.startswith("kc-") for each in found.worst)


def test_sold_homes_say_which_price_was_nearer(found: Difference) -> None:
    assert found.sold_before.rows == found.sold_after.rows > 20
    assert found.sold_before.bias is not None
    assert found.sold_after.bias is not None
    assert found.sold_before.bias < found.sold_after.bias


def test_a_price_from_one_way_alone_is_counted_and_changes_nothing() -> None:
    log = served_log.served_log(60)
    way = Way(MARKET, log.partitions(), {})
    comparison = Comparison(MARKET)
    for each in replay.replay(
        log.partitions(), way, [None, Change(served_log.FIRST)], ends=lambda p: p.partition == 3
    ):
        comparison.take(each.chunk, *each.outputs)

    found = comparison.difference("nobody", "v1")

    assert (found.only_before, found.only_after) == (0, found.listings)
    assert found.overall is None
    assert found.segments == ()
    assert "–" in page.render("t", "a", difference_page.sections(found))


def test_the_page_names_both_ways_and_escapes_them(found: Difference) -> None:
    html = page.render("t", "a", difference_page.sections(found))

    assert "v2" in html
    assert "dearer" in html
    assert found.worst[0].listing_id in html
