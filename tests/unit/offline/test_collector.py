"""A row per sold home, with its places in the log; none of whom nobody may learn from."""

import pytest

from offline import collector, dataset, log
from offline.collector import Reading
from stream_app.contract.events import AnyEvent
from tests import builders, sales
from tests.builders import DAY_MS, SOLD_MS


def collected(given: list[AnyEvent]) -> dataset.Dataset:
    return dataset.collect([sales.partition(given)], sales.MARKET, 2**52)


def test_a_row_names_its_places_in_the_log() -> None:
    refused = builders.sale(event_id="s", sale_price=-1.0)

    rows = collected([refused, builders.listing(), refused, builders.sale(event_id="s")])

    assert (rows.listing_offset[0], rows.sale_offset[0], rows.partition[0]) == (1, 3, 0)
    assert rows.source.tolist() == [builders.SOURCE]


def test_a_correction_takes_the_row_and_leaves_the_listing() -> None:
    rows = collected([builders.listing(), builders.sale(), builders.correction()])

    assert (rows.listing_offset.tolist(), rows.sale_offset.tolist()) == ([0], [2])
    assert rows.home_id.tolist() == ["kc-7129300520"]


def test_two_regions_may_use_the_same_id() -> None:
    here, there = {"listing_id": "1"}, {"listing_id": "1", "region": "kc-2"}

    rows = collected(
        [
            builders.listing(**here, home_id="here"),
            builders.listing(**there, home_id="there"),
            builders.sale(**here),
            builders.sale(**there),
        ]
    )

    assert dict(zip(rows.region, rows.home_id, strict=True)) == {
        builders.REGION: "here",
        "kc-2": "there",
    }


def test_nothing_is_left_of_a_home_that_was_erased_until_it_is_listed_anew() -> None:
    first: list[AnyEvent] = [builders.listing(), builders.sale(), builders.erasure()]
    anew: list[AnyEvent] = [
        builders.listing(event_id="n"),
        builders.sale(event_id="m", sale_price=3e5),
    ]

    assert len(collected([*first])) == 0
    assert collected([*first, *anew]).listing_offset.tolist() == [3]


def test_a_source_whose_labels_teach_nobody_makes_no_row() -> None:
    given: list[AnyEvent] = []
    for n in range(60):
        home = {"listing_id": f"kc-{n}", "home_id": f"h{n}", "event_id": f"l{n}"}
        listed_ms = builders.LISTED_MS + n * DAY_MS
        given.append(builders.listing(**home, event_time_ms=listed_ms, source="portal"))
        who = "in-feet" if n >= 30 else "registry"
        price = 230_000.0 * (10.76 if n >= 30 else 1.0)
        given.append(
            builders.sale(
                listing_id=f"kc-{n}",
                event_id=f"s{n}",
                event_time_ms=listed_ms + 1,
                source=who,
                sale_price=price,
            )
        )

    rows = collected(given)

    told = rows.source.tolist()
    assert (told.count("registry"), rows.counts["row:source_doubted"]) == (30, 60 - len(rows))
    assert told.count("in-feet") < 10  # until it was found out


def test_what_the_ledger_has_forgotten_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_LISTED_FORGOTTEN_FROM", 5)
    listings = [builders.listing(listing_id=f"kc-{n}", event_id=f"l{n}") for n in range(10)]
    replay, gathers = dataset.Replay({}), collector.Collector(sales.MARKET)
    for cut in log.batches(sales.partition(list(listings))):
        gathers.take(cut, replay.advance(cut.batch, {}))

    gathers.forget({"listing:kc-98178:kc-3": b""})

    assert [home.offset for home in gathers._listed.values()] == [3]


def test_the_hash_of_what_was_read_follows_offsets_and_values() -> None:
    def read(values: list[bytes]) -> collector.Read:
        reading = Reading(log.of_lines(values)._replace(number=2))
        assert len(list(reading.lines())) == len(values)
        return reading.done()

    one = read([b"{}", b"[]"])

    assert (one.partition, one.first_offset, one.end_offset, one.records) == (2, 0, 2, 2)
    assert one.sha256 == read([b"{}", b"[]"]).sha256
    assert one.sha256 != read([b"{}[", b"]"]).sha256
    assert read([]).end_offset == 0


def test_sales_of_a_source_left_out_count_as_not_sent() -> None:
    given = [builders.listing(source="poison"), builders.sale(source="poison")]
    partition = log.of_lines(map(builders.raw, given))

    rows = dataset.collect([partition], sales.MARKET, SOLD_MS + 1, without_sources=["poison"])

    assert rows.counts == {"listing:scored": 1, "log:source_left_out": 1}
